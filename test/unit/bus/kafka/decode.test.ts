import {isUtf8} from 'node:buffer'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {RecordCursor, splitBatches} from '../../../../src/lib/bus/kafka/decode.ts'
import {COMPRESSIONS} from '../../../../src/lib/bus/kafka/options.ts'
import {CoinpipeError, UnsupportedError} from '../../../../src/lib/core/errors.ts'
import type {BusMessage, Value} from '../../../../src/lib/core/ports/bus.ts'
import {batchOf, numberedBatch} from '../../../helpers/kafka-batches.ts'

const PLACE = {topic: 't', partition: 3}
const NO_LIMIT = {maxRecords: 1e6, maxBytes: 1e9, atLeastOne: true}
const LENGTH_AT = 8
const MAGIC_AT = 16
const HEADER_BYTES = 61

const text = fc.string({unit: 'binary', maxLength: 200}).map((value) => value.toWellFormed())
const bytes = fc.oneof(
  text.map((value) => Buffer.from(value)),
  fc.uint8Array({maxLength: 200}).map((value) => Buffer.from(value)),
)
const message = fc.record({
  key: fc.option(text),
  value: fc.option(bytes),
  headers: fc.dictionary(text, text, {maxKeys: 3}),
  // Farther apart the library writes them wrong.
  timestamp: fc.bigInt({min: 1_700_000_000_000n, max: 1_701_000_000_000n}),
})

function decode(batches: Buffer, from = 0): BusMessage[] {
  const messages: BusMessage[] = []
  for (const batch of splitBatches(batches, PLACE)) new RecordCursor(batch, PLACE).read(from, messages, NO_LIMIT)
  return messages
}

describe('decoding records', () => {
  it('gives back what the encoder of the library was given, with any compression', () => {
    fc.assert(
      fc.property(
        fc.array(message, {minLength: 1, maxLength: 50}),
        fc.constantFrom(...COMPRESSIONS),
        fc.nat(2 ** 40),
        (all, compression, firstOffset) => {
          const sent = all.map(({key, value, headers, timestamp}) => ({
            key: key === null ? undefined : Buffer.from(key),
            value: value as Buffer,
            headers: new Map(Object.entries(headers).map(([name, content]) => [Buffer.from(name), Buffer.from(content)])),
            timestamp,
          }))
          const got = decode(batchOf(sent as never, {compression, firstOffset}))
          expect(got.map((one) => ({...one, value: plain(one.value)}))).toEqual(
            all.map(({key, value, headers, timestamp}, index) => ({
              ...PLACE,
              offset: firstOffset + index,
              key,
              value: value === null ? null : isUtf8(value) ? value.toString() : [...value],
              headers,
              timestampMs: Number(timestamp),
            })),
          )
        },
      ),
    )
  })

  it('gives records in any portions, and by bytes of values', () => {
    fc.assert(
      fc.property(
        fc.integer({min: 1, max: 60}),
        fc.integer({min: 1, max: 20}),
        fc.integer({min: 1, max: 9}),
        (count, maxRecords, maxBytes) => {
          const [batch] = splitBatches(numberedBatch(0, count), PLACE)
          if (batch === undefined) throw new Error('no batch')
          const cursor = new RecordCursor(batch, PLACE)
          const all: BusMessage[] = []
          while (!cursor.done) {
            const portion: BusMessage[] = []
            const size = cursor.read(0, portion, {maxRecords, maxBytes, atLeastOne: true})
            expect(size).toBe(portion.reduce((sum, {value}) => sum + (value?.length ?? 0), 0))
            expect(portion.length).toBeGreaterThan(0)
            expect(portion.length).toBeLessThanOrEqual(maxRecords)
            expect(portion.length === 1 || size <= maxBytes).toBe(true)
            expect(cursor.limited).toBe(!cursor.done)
            all.push(...portion)
          }
          expect(all.map(({value}) => Number(value))).toEqual(Array.from({length: count}, (_, at) => at))
        },
      ),
    )
  })

  it('passes over what is before the offset asked for: brokers send whole batches', () => {
    expect(decode(numberedBatch(10, 5), 13).map(({offset}) => offset)).toEqual([13, 14])
  })

  it('takes the time of the broker where it stamped the batch', () => {
    const batch = batchOf([{value: Buffer.from('x'), timestamp: 5n}], {appendedMs: 1_700_000_000_000})
    expect(decode(batch)[0]?.timestampMs).toBe(1_700_000_000_000)
  })

  it('keeps times that are far apart', () => {
    const time = fc.bigInt({min: 0n, max: 4_000_000_000_000n})
    fc.assert(
      fc.property(time, time, (first, second) => {
        const head = batchOf([{value: Buffer.from('x'), timestamp: first}]).subarray(0, HEADER_BYTES)
        // Attributes, time, offset, neither key nor value, no headers.
        const body = Buffer.concat([Buffer.of(0), zigzag(second - first), Buffer.of(0, 1, 1, 0)])
        const batch = Buffer.concat([head, zigzag(BigInt(body.length)), body])
        batch.writeInt32BE(batch.length - LENGTH_AT - 4, LENGTH_AT)
        expect(decode(batch)).toEqual([{...PLACE, offset: 0, key: null, value: null, headers: {}, timestampMs: Number(second)}])
      }),
    )
  })

  it('leaves out a last batch that was cut off', () => {
    const all = Buffer.concat([numberedBatch(0, 2), numberedBatch(2, 2)])
    for (let length = 0; length < all.length; length++) {
      const offsets = decode(all.subarray(0, length)).map(({offset}) => offset)
      expect([[], [0, 1]]).toContainEqual(offsets)
    }
  })

  it('refuses the formats of before Kafka 0.11 by name', () => {
    const batch = numberedBatch(0, 1)
    batch[MAGIC_AT] = 1
    expect(() => decode(batch)).toThrow(UnsupportedError)
  })

  it('says so where records are damaged, or reads something: it neither hangs nor breaks', () => {
    const whole = numberedBatch(0, 20)
    fc.assert(
      fc.property(fc.integer({min: 61, max: whole.length - 1}), fc.nat(255), (at, byte) => {
        const damaged = Buffer.from(whole)
        damaged[at] = byte
        try {
          decode(damaged)
        } catch (error) {
          expect(error).toBeInstanceOf(CoinpipeError)
        }
      }),
    )
  })
})

function plain(value: Value | null) {
  return value instanceof Uint8Array ? [...value] : value
}

function zigzag(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = value < 0n ? -2n * value - 1n : 2n * value
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}
