import {expect, it} from 'vitest'
import type {BusAdmin} from '../../src/lib/core/ports/bus.ts'
import {connectedBus, newTopic} from '../helpers/kafka-bus.ts'
import {connectedWith, DRIVER_NAMES} from '../helpers/kafka-drivers.ts'
import {toolProduce} from '../helpers/kafka-tools.ts'

/** What markets and people use, and what is hard: nothing, other alphabets, surrogate pairs, lengths around murmur2's blocks of four bytes. */
const KEYS: readonly string[] = [
  '',
  ...Array.from({length: 300}, (_, at) => `upbit:KRW-${at.toString(36).toUpperCase()}`),
  ...Array.from({length: 100}, (_, at) => `중고나라 ${at} 아이폰`),
  ...Array.from({length: 50}, (_, at) => `${String.fromCodePoint(0x1f600 + at)}👩‍👩‍👧`),
  ...Array.from({length: 40}, (_, at) => 'k'.repeat(at + 1)),
  ...Array.from({length: 10}, (_, at) => `é\u0301 ñ ß\t"'\\${at}`),
  'x'.repeat(5_000),
  '길'.repeat(3_000),
]

/** In which partition each key is. */
async function placesOf(bus: BusAdmin, topic: string, partitions: number): Promise<Map<string | null, number>> {
  const read = Array.from({length: partitions}, (_, partition) => bus.read({topic, partition, offset: 0}, KEYS.length))
  const messages = (await Promise.all(read)).flat()
  expect(messages).toHaveLength(KEYS.length)
  return new Map(messages.map(({key, partition}) => [key, partition]))
}

it.each([3, 6, 7])("puts keys on %i partitions where Kafka's own producer puts them, through both clients", async (partitions) => {
  const admin = await connectedBus()
  const topic = await newTopic(admin, {partitions})
  await toolProduce(
    topic,
    KEYS.map((key) => ({key, value: 'v'})),
  )
  const expected = await placesOf(admin, topic, partitions)
  expect([...expected.keys()].sort()).toEqual([...KEYS].sort())
  expect(new Set(expected.values()).size).toBe(partitions)
  for (const driver of DRIVER_NAMES) {
    const own = await newTopic(admin, {partitions})
    const bus = await connectedWith(driver, {acks: 'all'})
    const results = await bus.publish(KEYS.map((key) => ({topic: own, key, value: 'v'})))
    expect(new Map(results.map(({partition}, at) => [KEYS[at] ?? null, partition]))).toEqual(expected)
    expect(await placesOf(admin, own, partitions)).toEqual(expected)
  }
})
