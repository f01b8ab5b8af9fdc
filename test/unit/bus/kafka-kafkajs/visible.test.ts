import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {visibleMessages} from '../../../../src/lib/bus/kafka-kafkajs/visible.ts'
import type {AbortedTransaction, FetchedMessage} from '../../../../src/lib/bus/kafka-kafkajs/wire.ts'

type Step = {readonly producer: number; readonly does: 'write' | 'commit' | 'abort'}

function entry(offset: number, {producer, does}: Step): FetchedMessage {
  const mark = does !== 'write'
  return {
    offset: String(offset),
    timestamp: '0',
    key: mark ? Buffer.from([0, 0, 0, does === 'commit' ? 1 : 0]) : null,
    value: Buffer.from('x'),
    headers: {},
    isControlRecord: mark,
    batchContext: {producerId: String(producer), inTransaction: true, firstOffset: String(offset), lastOffsetDelta: 0},
  }
}

/** What a broker keeps: the log, its aborted transactions in the order of their ends, and which offsets came to be. */
function logOf(steps: readonly Step[]) {
  const open = new Map<number, number[]>()
  const aborted: (AbortedTransaction & {readonly end: number})[] = []
  const committed: number[] = []
  for (const [offset, {producer, does}] of steps.entries()) {
    const written = open.get(producer) ?? []
    if (does === 'write') open.set(producer, [...written, offset])
    else open.delete(producer)
    if (does === 'commit') committed.push(...written)
    if (does === 'abort' && written.length > 0) aborted.push({producerId: String(producer), firstOffset: String(written[0]), end: offset})
  }
  // Readers of what is committed are shown nothing from the first open transaction on.
  const stable = Math.min(steps.length, ...[...open.values()].flat())
  return {aborted, committed: committed.filter((offset) => offset < stable).sort((a, b) => a - b), stable}
}

describe('visibleMessages', () => {
  it('shows what was committed and nothing else, however transactions overlap and wherever the fetch begins', () => {
    const step = fc.record({producer: fc.integer({min: 1, max: 4}), does: fc.constantFrom('write', 'write', 'commit', 'abort')} as const)
    fc.assert(
      fc.property(fc.array(step, {maxLength: 60}), fc.nat(60), (steps, from) => {
        const {aborted, committed, stable} = logOf(steps)
        const fetched = steps.map((one, offset) => entry(offset, one)).slice(from, stable)
        const listed = aborted.filter(({end, firstOffset}) => end >= from && Number(firstOffset) < stable)
        expect(visibleMessages(fetched, listed).map(({offset}) => Number(offset))).toEqual(committed.filter((offset) => offset >= from))
      }),
      {numRuns: 500},
    )
  })

  it('leaves out only marks where nothing is said of aborted transactions', () => {
    const log = [entry(0, {producer: 1, does: 'write'}), entry(1, {producer: 1, does: 'abort'})]
    expect(visibleMessages(log, null).map(({offset}) => offset)).toEqual(['0'])
  })
})
