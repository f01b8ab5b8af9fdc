import {jsCRC32C, type KafkaRecord, Reader, readRecordsBatch} from '@platformatic/kafka'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {COMPRESSIONS} from '../../../../src/lib/bus/kafka/options.ts'
import {BatchEncoder, type BatchOptions, type ProducerStamp} from '../../../../src/lib/bus/kafka-platformatic/record-batch.ts'
import type {OutgoingRecord} from '../../../../src/lib/core/ports/bus.ts'

const text = fc.string({unit: 'binary', maxLength: 300}).map((value) => value.toWellFormed())
const outgoing: fc.Arbitrary<OutgoingRecord> = fc.record(
  {
    topic: fc.constant('t'),
    key: fc.option(text),
    value: fc.oneof(fc.constant(null), text, fc.uint8Array({maxLength: 300})),
    headers: fc.dictionary(text, text, {maxKeys: 3}),
  },
  {requiredKeys: ['topic', 'key', 'value']},
)
const records = fc.array(outgoing, {minLength: 1, maxLength: 200})
const producer: fc.Arbitrary<ProducerStamp> = fc.record({
  producerId: fc.bigInt({min: 0n, max: 2n ** 63n - 1n}),
  producerEpoch: fc.nat({max: 32767}),
  baseSequence: fc.nat({max: 2 ** 31 - 1}),
  transactional: fc.boolean(),
})
const options: fc.Arbitrary<BatchOptions> = fc.record({
  compression: fc.constantFrom(...COMPRESSIONS),
  timestampMs: fc.nat({max: 4e12}),
  producer: fc.option(producer),
})

const CRC_AT = 17
const COVERED_FROM = 21
const TRANSACTIONAL = 1 << 4

describe('record batches', () => {
  it("are read back by the library's decoder as they were given", () => {
    const encoder = new BatchEncoder()
    fc.assert(
      fc.property(records, options, (given, {compression, timestampMs, producer: stamp}) => {
        encoder.reset()
        const batch = encoder.encode(given, {compression, timestampMs, producer: stamp})
        expect(batch.readUInt32BE(CRC_AT)).toBe(jsCRC32C(batch.subarray(COVERED_FROM)))
        const read = readRecordsBatch(Reader.from(Buffer.from(batch)))
        expect(read).toMatchObject({
          firstOffset: 0n,
          length: batch.length - 12,
          magic: 2,
          attributes: COMPRESSIONS.indexOf(compression) | (stamp?.transactional === true ? TRANSACTIONAL : 0),
          lastOffsetDelta: given.length - 1,
          firstTimestamp: BigInt(timestampMs),
          maxTimestamp: BigInt(timestampMs),
          producerId: stamp?.producerId ?? -1n,
          producerEpoch: stamp?.producerEpoch ?? -1,
          firstSequence: stamp?.baseSequence ?? -1,
        })
        expect(read.records.map(asGiven)).toEqual(given.map(plain))
        expect(read.records.map(({offsetDelta}) => offsetDelta)).toEqual(given.map((_, index) => index))
      }),
    )
  })

  it('stay valid next to each other, also where the buffer had to grow between them', () => {
    const encoder = new BatchEncoder()
    const large = (fill: string): OutgoingRecord[] => [{topic: 't', key: null, value: fill.repeat(700_000)}]
    const batches = ['a', 'b', 'c'].map((fill) => encoder.encode(large(fill), {compression: 'none', timestampMs: 0, producer: null}))
    const values = batches.map((batch) => readRecordsBatch(Reader.from(batch)).records[0]?.value)
    expect(values.map((value) => value?.toString())).toEqual(['a', 'b', 'c'].map((fill) => fill.repeat(700_000)))
  })

  it('hold a record of 16 MiB', () => {
    const value = new Uint8Array(16 * 1024 * 1024).fill(7)
    const batch = new BatchEncoder().encode([{topic: 't', key: 'k', value}], {compression: 'none', timestampMs: 0, producer: null})
    expect(Buffer.compare(readRecordsBatch(Reader.from(batch)).records[0]?.value as Buffer, value)).toBe(0)
  })
})

function plain({key, value, headers = {}}: OutgoingRecord) {
  const bytes = (part: string | Uint8Array | null) => (part === null ? null : [...Buffer.from(part)])
  return {key: bytes(key), value: bytes(value), headers: Object.entries(headers).map(([name, content]) => [bytes(name), bytes(content)])}
}

function asGiven({key, value, headers}: KafkaRecord) {
  const bytes = (part: Uint8Array | null) => (part === null ? null : [...part])
  return {key: bytes(key), value: bytes(value), headers: [...headers].map(([name, content]) => [bytes(name), bytes(content)])}
}
