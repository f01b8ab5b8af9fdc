import {describe, expect, it} from 'vitest'
import type {CommitPosition} from '../../../../src/lib/bus/group-backend.ts'
import {Commits} from '../../../../src/lib/bus/kafka-kafkajs/commits.ts'
import {FencedError} from '../../../../src/lib/core/errors.ts'

const at = (partition: number, offset: number): CommitPosition => ({topic: 't', partition, epoch: 1, offset})

function scene(failure?: Error) {
  const sent: (readonly CommitPosition[])[] = []
  const gate = Promise.withResolvers<void>()
  const commits = new Commits({
    ready: () => gate.promise,
    check: ({partition}) => {
      if (partition === 9) throw new FencedError('not yours')
    },
    send: async (positions) => {
      sent.push(positions)
      if (failure !== undefined) throw failure
    },
  })
  return {commits, sent, open: gate.resolve}
}

describe('Commits', () => {
  it('sends what waits together: of each partition the furthest', async () => {
    const {commits, sent, open} = scene()
    const all = [commits.add([at(0, 5), at(1, 3)]), commits.add([at(0, 7)]), commits.add([at(0, 6)])]
    open()
    await Promise.all(all)
    expect(sent).toEqual([[at(0, 7), at(1, 3)]])
    await commits.add([at(1, 4)])
    expect(sent).toHaveLength(2)
  })

  it('refuses a call with a partition that is gone, and commits nothing of it', async () => {
    const {commits, sent, open} = scene()
    const [good, bad] = [commits.add([at(0, 5)]), commits.add([at(1, 3), at(9, 1)])]
    open()
    await expect(bad).rejects.toBeInstanceOf(FencedError)
    await good
    expect(sent).toEqual([[at(0, 5)]])
  })

  it('fails all that went together', async () => {
    const failure = new FencedError('a newer one')
    const {commits, open} = scene(failure)
    const all = [commits.add([at(0, 5)]), commits.add([at(0, 7)])]
    open()
    expect(await Promise.allSettled(all)).toEqual([
      {status: 'rejected', reason: failure},
      {status: 'rejected', reason: failure},
    ])
  })
})
