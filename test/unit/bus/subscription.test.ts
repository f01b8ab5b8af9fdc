import {describe, expect, it, onTestFinished} from 'vitest'
import type {ReadRequest, ReadResult} from '../../../src/lib/bus/fair-read.ts'
import type {CommitPosition, GroupBackend} from '../../../src/lib/bus/group-backend.ts'
import {GroupSubscription} from '../../../src/lib/bus/subscription.ts'
import {testContext} from '../../helpers/context.ts'

const PLACE = {topic: 't', partition: 0}
const MEMBERSHIP = {memberId: 'm', generation: 1, grants: [{...PLACE, epoch: 1, revoking: false, committed: 1_000, earliest: 0}]}

/** A log of one partition that is begun anew: first it has one record at 1,000, then five from 0 on. */
class Log implements GroupBackend {
  readonly component = 'log'
  readonly commits: (readonly CommitPosition[])[] = []
  #begunAnew = false
  #listener: () => void = () => undefined

  begin(): void {
    this.#begunAnew = true
    this.#listener()
  }

  read({offset, maxRecords}: ReadRequest): ReadResult | null {
    const end = this.#begunAnew ? 5 : 1_001
    if (offset > end) return {messages: [], bytes: 0, next: 0, missed: 0, more: false}
    if (offset === end) return null
    const next = Math.min(end, offset + maxRecords)
    const messages = Array.from({length: next - offset}, (_, at) => ({
      ...PLACE,
      offset: offset + at,
      key: null,
      value: '',
      headers: {},
      timestampMs: 0,
    }))
    return {messages, bytes: 0, next, missed: 0, more: false}
  }

  async commit(_memberId: string, positions: readonly CommitPosition[]): Promise<void> {
    this.commits.push(positions)
  }

  onChange(listener: () => void): () => void {
    this.#listener = listener
    return () => undefined
  }

  join = async () => MEMBERSHIP
  sync = async () => MEMBERSHIP
  leave = async () => undefined
  generation = () => MEMBERSHIP.generation
  ended = () => undefined
}

function open() {
  const log = new Log()
  const subscription = new GroupSubscription(log, {group: 'g', topics: ['t']}, testContext(), new AbortController().signal)
  onTestFinished(() => subscription.close())
  const deliveries = subscription[Symbol.asyncIterator]()
  const next = async () => {
    const {value} = await deliveries.next()
    return {...value, offsets: value.items.map(({offset}: {offset: number}) => offset)}
  }
  return {log, next}
}

describe('a log that is begun anew under its reader', () => {
  it('is read again from its beginning when its first delivery is refused', async () => {
    const {log, next} = open()
    expect((await next()).offsets).toEqual([1_000])
    const coming = next()
    log.begin()
    const first = await coming
    expect(first.offsets).toEqual([0, 1, 2, 3, 4])
    await first.ack(new Error('refused'))
    expect((await next()).offsets).toEqual([0, 1, 2, 3, 4])
  })

  it('keeps the offsets of the log before it out of what is committed', async () => {
    const {log, next} = open()
    const before = await next()
    const coming = next()
    log.begin()
    const first = await coming
    await before.ack()
    await first.ack()
    expect(log.commits.flat().map(({offset}) => offset)).toEqual([5])
  })
})
