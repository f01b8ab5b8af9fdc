import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Versioned} from '../../src/lib/core/ports/checkpoints.ts'
import {EmbeddedCheckpoints} from '../../src/lib/store/checkpoints/embedded-checkpoints.ts'
import {MemoryCheckpoints} from '../../src/lib/store/checkpoints/memory-checkpoints.ts'
import {checkpointsContract} from './checkpoints-contract.ts'

checkpointsContract({
  name: 'memory',
  open: async () => {
    const states = new Map<string, Versioned>()
    return {handle: () => new MemoryCheckpoints(states), destroy: async () => undefined}
  },
})

checkpointsContract({
  name: 'embedded',
  open: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coinpipe-checkpoints-'))
    const path = join(folder, 'state', 'checkpoints.sqlite')
    return {handle: () => new EmbeddedCheckpoints({path}), destroy: () => rm(folder, {recursive: true, force: true})}
  },
})
