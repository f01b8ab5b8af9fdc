import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {encodeRecord} from '../../src/lib/core/codec.ts'
import type {Bus, BusAdmin} from '../../src/lib/core/ports/bus.ts'
import {TOPICS} from '../../src/lib/core/topics.ts'
import {kafkaBus} from '../kafka/bus.ts'
import {withCluster} from '../kafka/cluster.ts'
import {hourStart, type Spread, trade} from './rows.ts'

const PARTITIONS = 6
const BATCH = 1000
/** Batches under way. */
const UNDER_WAY = 30

/** A topic of so many trades, keyed as ingest does it. */
async function fillTopic(bus: Bus & BusAdmin, records: number, spread: Spread): Promise<void> {
  await bus.ensureTopic(TOPICS.trade, {partitions: PARTITIONS, retentionMs: null, retentionBytes: null, replicas: 2})
  const fromUs = hourStart()
  const underWay = new Set<Promise<unknown>>()
  for (let from = 0; from < records; from += BATCH) {
    const batch = Array.from({length: Math.min(BATCH, records - from)}, (_, index) => {
      const record = trade(from + index, {spread, fromUs})
      return {topic: TOPICS.trade, key: `${record.exchange}:${record.symbol}`, value: encodeRecord(record)}
    })
    const sent: Promise<unknown> = bus.publish(batch).finally(() => underWay.delete(sent))
    underWay.add(sent)
    if (underWay.size >= UNDER_WAY) await Promise.race(underWay)
  }
  await Promise.all(underWay)
}

/** Records of the topic that a group has committed. */
export async function committed(admin: BusAdmin, group: string): Promise<number> {
  const lags = await admin.lag(group)
  return lags.filter(({topic}) => topic === TOPICS.trade).reduce((sum, {committed}) => sum + (committed ?? 0), 0)
}

export interface FilledTopic {
  readonly brokers: string
  readonly bus: Bus
  readonly admin: BusAdmin
  readonly dataDir: string
}

/** Three brokers with so many trades, for as long as `use` runs. */
export async function withFilledTopic<T>(records: number, spread: Spread, use: (topic: FilledTopic) => Promise<T>): Promise<T> {
  return await withCluster(async ({brokers}) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'coinpipe-bench-'))
    const bus = await kafkaBus(brokers)
    try {
      await fillTopic(bus, records, spread)
      return await use({brokers, bus, admin: bus, dataDir})
    } finally {
      await bus.close()
      await rm(dataDir, {recursive: true, force: true})
    }
  })
}
