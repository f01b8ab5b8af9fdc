import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {type Cursor, type ReadRequest, type ReadResult, readFairly} from '../../../src/lib/bus/fair-read.ts'
import type {BusMessage} from '../../../src/lib/core/ports/bus.ts'

/** A log in memory: the sizes of the values of each partition. */
function reader(sizes: readonly (readonly number[])[]): (request: ReadRequest) => ReadResult {
  return ({topic, partition, offset, maxRecords, maxBytes, atLeastOne}) => {
    const messages: BusMessage[] = []
    let bytes = 0
    for (const size of (sizes[partition] ?? []).slice(offset, offset + maxRecords)) {
      if (bytes + size > maxBytes && !(atLeastOne && messages.length === 0)) break
      bytes += size
      const at = offset + messages.length
      messages.push({topic, partition, offset: at, key: null, value: 'x'.repeat(size), headers: {}, timestampMs: 0})
    }
    const next = offset + messages.length
    return {messages, bytes, next, missed: 0, more: next < (sizes[partition]?.length ?? 0)}
  }
}

const cursors = (count: number): Cursor[] => Array.from({length: count}, (_, partition) => ({topic: 't', partition, position: 0}))
const noMiss = () => {
  throw new Error('nothing is missed here')
}

describe('readFairly', () => {
  it('shares a batch equally, and gives what one does not use to the others', () => {
    const sizes = [Array(100).fill(1), Array(2).fill(1), Array(100).fill(1)]
    const batch = readFairly(cursors(3), {maxBatchRecords: 30, maxBatchBytes: 1000}, reader(sizes), noMiss)
    const counts = [0, 1, 2].map((partition) => batch.filter((message) => message.partition === partition).length)
    expect(counts[1]).toBe(2)
    expect((counts[0] ?? 0) + (counts[2] ?? 0)).toBe(28)
    expect(Math.min(counts[0] ?? 0, counts[2] ?? 0)).toBeGreaterThanOrEqual(10)
  })

  it('passes over a partition that cannot be read just now', () => {
    const read = reader([[1], [1]])
    const batch = readFairly(
      cursors(2),
      {maxBatchRecords: 10, maxBatchBytes: 10},
      (request) => (request.partition === 0 ? null : read(request)),
      noMiss,
    )
    expect(batch.map((message) => message.partition)).toEqual([1])
  })

  it('reads everything in the end, in order and within its limits', () => {
    const logs = fc.array(fc.array(fc.integer({min: 0, max: 50}), {maxLength: 20}), {minLength: 1, maxLength: 5})
    fc.assert(
      fc.property(logs, fc.integer({min: 1, max: 12}), fc.integer({min: 1, max: 100}), (sizes, maxBatchRecords, maxBatchBytes) => {
        const at = cursors(sizes.length)
        const seen = sizes.map(() => [] as number[])
        for (;;) {
          const batch = readFairly(at, {maxBatchRecords, maxBatchBytes}, reader(sizes), noMiss)
          if (batch.length === 0) break
          expect(batch.length).toBeLessThanOrEqual(maxBatchRecords)
          const bytes = batch.reduce((sum, message) => sum + (message.value?.length ?? 0), 0)
          expect(batch.length === 1 || bytes <= maxBatchBytes).toBe(true)
          for (const message of batch) seen[message.partition]?.push(message.offset)
        }
        expect(seen).toEqual(sizes.map((log) => log.map((_, offset) => offset)))
      }),
    )
  })
})
