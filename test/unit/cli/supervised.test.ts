import {EventEmitter} from 'node:events'
import {describe, expect, it} from 'vitest'
import {followSupervisor, supervisedEnv} from '../../../src/lib/cli/supervised.ts'

function processWith(fields: {env?: NodeJS.ProcessEnv; connected?: boolean}) {
  return Object.assign(new EventEmitter(), {env: {...supervisedEnv}, connected: true, ...fields})
}

describe('a process that is looked after', () => {
  it('stops when its supervisor lets go', () => {
    const process = processWith({})
    const reasons: string[] = []
    followSupervisor(process, (reason) => reasons.push(reason))
    expect(reasons).toEqual([])
    process.emit('disconnect')
    expect(reasons).toEqual(['its supervisor let go of it'])
  })

  it('stops at once where the supervisor is gone before it listens', () => {
    const reasons: string[] = []
    followSupervisor(processWith({connected: false}), (reason) => reasons.push(reason))
    expect(reasons).toHaveLength(1)
  })

  it('does not care about a channel of somebody else', () => {
    const process = processWith({env: {}})
    const reasons: string[] = []
    followSupervisor(process, (reason) => reasons.push(reason))
    process.emit('disconnect')
    expect(reasons).toEqual([])
  })

  it('leaves nothing behind', () => {
    const process = processWith({})
    followSupervisor(process, () => undefined)()
    expect(process.eventNames()).toEqual([])
  })
})
