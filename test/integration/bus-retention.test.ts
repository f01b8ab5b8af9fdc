import {DatabaseSync} from 'node:sqlite'
import {expect, it} from 'vitest'
import type {TopicConfig} from '../../src/lib/core/ports/bus.ts'
import {embeddedBus, records} from '../helpers/embedded-bus.ts'
import {until} from '../helpers/until.ts'

const TOPIC = 'kept'
const topics = (config: Partial<TopicConfig>) => ({[TOPIC]: {partitions: 2, retentionMs: null, retentionBytes: null, ...config}})

function rowsIn(path: string): number {
  const db = new DatabaseSync(path, {readOnly: true, timeout: 5000})
  try {
    // One snapshot: tables are dropped meanwhile.
    db.exec('BEGIN')
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'log\\_%' ESCAPE '\\'").all()
    return tables.reduce((sum, {name}) => sum + Number(db.prepare(`SELECT count(*) AS n FROM ${name}`).get()?.n), 0)
  } finally {
    db.close()
  }
}

function pagesIn(path: string): number {
  const db = new DatabaseSync(path, {readOnly: true, timeout: 5000})
  try {
    return Number(db.prepare('PRAGMA page_count').get()?.page_count)
  } finally {
    db.close()
  }
}

it('removes what is older than the retention of its topic, in all partitions, and goes on counting', async () => {
  const {bus, path, context} = await embeddedBus({topics: topics({retentionMs: 300}), retentionCheckMs: 20})
  await bus.publish([...records(TOPIC, 2500), ...records(TOPIC, 10, {partition: 1})])
  expect((await bus.describeTopic(TOPIC)).offsets.map(({earliest}) => earliest)).toEqual([0, 0])
  await until('the records to be out of sight', async () =>
    (await bus.describeTopic(TOPIC)).offsets.every(({earliest, latest}) => earliest === latest),
  )
  await until('their rows to be gone', () => rowsIn(path) === 0)
  expect(await bus.publish(records(TOPIC, 1))).toEqual([{topic: TOPIC, partition: 0, offset: 2500}])
  await until('the count to be told', async () => /retention_deleted_total\{[^}]*\} 2510/.test(await context.metrics.text()))
})

it('keeps a topic below its bytes by removing the oldest records first', async () => {
  const retentionBytes = 100_000
  const {bus} = await embeddedBus({topics: topics({retentionBytes}), retentionCheckMs: 20})
  await bus.publish(records(TOPIC, 900, {bytes: 100}))
  await bus.publish(records(TOPIC, 600, {partition: 1, bytes: 100}))
  await until('the first partition to shrink', async () => (await bus.describeTopic(TOPIC)).offsets[0]?.earliest === 500)
  expect((await bus.describeTopic(TOPIC)).offsets.map(({earliest, latest}) => [earliest, latest])).toEqual([
    [500, 900],
    [0, 600],
  ])
  const [first] = await bus.read({topic: TOPIC, partition: 0, offset: 0}, 1)
  expect(first).toMatchObject({offset: 500, value: '500'.padStart(100, '.')})
})

it('counts bytes as they are, so that they add up to nothing once all is removed', async () => {
  const {bus, path} = await embeddedBus({retentionCheckMs: 20})
  await bus.publish([
    {topic: TOPIC, partition: 0, key: 'k', value: '비트코인 🚀'},
    {topic: TOPIC, partition: 0, key: 'k', value: null},
    {topic: TOPIC, partition: 0, key: 'k', value: Uint8Array.from([1, 2, 3])},
  ])
  const db = new DatabaseSync(path, {readOnly: true, timeout: 5000})
  const bytes = () => Number(db.prepare('SELECT sum(bytes) AS n FROM partitions').get()?.n)
  expect(bytes()).toBe(Buffer.byteLength('비트코인 🚀') + 3)
  await bus.trim([{topic: TOPIC, partition: 0, offset: 3}])
  await until('the rows to be swept', () => bytes() === 0)
  db.close()
})

it('gives the space of much that was removed back to the disk, also that of a deleted topic', async () => {
  const {bus, path} = await embeddedBus({topics: topics({}), retentionCheckMs: 20})
  await bus.publish(records(TOPIC, 4000, {bytes: 4000}))
  await bus.publish(records('other', 2000, {bytes: 4000}))
  await bus.deleteTopic('other')
  await bus.trim([{topic: TOPIC, partition: 0, offset: 4000}])
  await until('the rows to be gone', () => rowsIn(path) === 0, 15_000)
  // The file itself shrinks with the next checkpoint of the WAL.
  await until('the log to shrink', () => pagesIn(path) * 8192 < 12_000_000, 15_000)
})

it('keeps on publishing while it removes', async () => {
  const {bus, path} = await embeddedBus({topics: topics({}), retentionCheckMs: 20})
  for (let first = 0; first < 60_000; first += 10_000) await bus.publish(records(TOPIC, 10_000, {first, bytes: 200}))
  await bus.trim([{topic: TOPIC, partition: 0, offset: 60_000}])
  let slowestMs = 0
  let published = 0
  while (rowsIn(path) > published) {
    const startedMs = performance.now()
    await bus.publish(records(TOPIC, 1, {partition: 1}))
    slowestMs = Math.max(slowestMs, performance.now() - startedMs)
    published++
  }
  expect(published).toBeGreaterThan(5)
  expect(slowestMs).toBeLessThan(500)
})

it('tells a subscription how many records it missed', async () => {
  const {bus, context} = await embeddedBus({topics: topics({})})
  await bus.publish(records(TOPIC, 10))
  const subscription = bus.subscribe({group: 'slow', topics: [TOPIC], maxBatchRecords: 2}, context.signal)
  const deliveries = subscription[Symbol.asyncIterator]()
  const first = await deliveries.next()
  await first.value?.ack()
  await bus.trim([{topic: TOPIC, partition: 0, offset: 8}])
  const second = await deliveries.next()
  expect(second.value?.items.map((item: {offset: number}) => item.offset)).toEqual([8, 9])
  expect(await context.metrics.text()).toMatch(/coinpipe_retention_missed_total\{[^}]*\} 6/)
})
