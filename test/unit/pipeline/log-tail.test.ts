import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'
import {MemoryBus} from '../../../src/lib/bus/memory/memory-bus.ts'
import {encodeRecord} from '../../../src/lib/core/codec.ts'
import type {CoinRecord} from '../../../src/lib/core/records.ts'
import {readTail} from '../../../src/lib/pipeline/log-tail.ts'
import {testContext} from '../../helpers/context.ts'
import {trade} from '../../helpers/market-records.ts'

const TOPIC = 'market.trade'

async function open() {
  const bus = new MemoryBus({topics: {[TOPIC]: {partitions: 2, retentionMs: null, retentionBytes: null}}}, testContext())
  await bus.connect()
  await bus.ensureTopic(TOPIC, {partitions: 2, retentionMs: null, retentionBytes: null})
  const publish = async (partition: number, ...values: (string | null)[]) => {
    await bus.publish(values.map((value) => ({topic: TOPIC, partition, key: null, value})))
  }
  return {bus, publish}
}

async function idsOf(records: AsyncIterable<CoinRecord>): Promise<string[]> {
  const ids: string[] = []
  for await (const record of records) if (record.type === 'trade') ids.push(record.tradeId)
  return ids
}

const text = (id: string) => encodeRecord(trade(id))

beforeEach(() => void vi.useFakeTimers({toFake: ['Date']}))
afterEach(() => void vi.useRealTimers())

describe('readTail', () => {
  it('has nothing of an empty topic', async () => {
    const {bus} = await open()
    const {since, records} = await readTail(bus, TOPIC, 1000)
    expect([since, await idsOf(records)]).toEqual([null, []])
  })

  it('goes back from the newest record of all partitions, not from now', async () => {
    const {bus, publish} = await open()
    await publish(0, text('old'))
    vi.setSystemTime(Date.now() + 5000)
    await publish(1, text('a'))
    vi.setSystemTime(Date.now() + 900)
    await publish(0, text('b'))
    const newestUs = Date.now() * 1000
    vi.setSystemTime(Date.now() + 3_600_000)
    const {since, records} = await readTail(bus, TOPIC, 1000)
    expect(since).toBe(newestUs - 1_000_000)
    expect((await idsOf(records)).sort()).toEqual(['a', 'b'])
  })

  it('says so where the tail is the whole topic', async () => {
    const {bus, publish} = await open()
    await publish(0, text('a'))
    expect((await readTail(bus, TOPIC, 1000)).since).toBeNull()
    const whole = await readTail(bus, TOPIC, Number.POSITIVE_INFINITY)
    expect([whole.since, await idsOf(whole.records)]).toEqual([null, ['a']])
  })

  it('leaves out what is no record, and reads more than one page', async () => {
    const {bus, publish} = await open()
    const many = Array.from({length: 12_000}, (_, id) => String(id))
    await publish(0, 'poison', null, ...many.map(text))
    const {records} = await readTail(bus, TOPIC, 1000)
    expect(await idsOf(records)).toEqual(many)
  })
})
