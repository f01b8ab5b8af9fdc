/**
 * One client of the Kafka bench, in a process of its own so that its CPU time can be told from everything else:
 * `client.ts produce|encode|consume DRIVER BROKERS TOPIC RECORDS`. Prints one line of JSON, {records, seconds}.
 */

import {encodeRecord} from '../../src/lib/core/codec.ts'
import type {Bus, OutgoingRecord} from '../../src/lib/core/ports/bus.ts'
import type {Trade} from '../../src/lib/core/records.ts'
import {kafkaBus} from './bus.ts'

const VALUE_BYTES = 200
const BATCH = 1000
const PARTITIONS = 6
/** Batches under way: enough to keep three brokers busy, as a Java producer with its 32 MiB buffer does. */
const UNDER_WAY = 60

const [task = '', driver = '', brokers = '', topic = '', count = '0'] = process.argv.slice(2)
const records = Number(count)
const bus = await kafkaBus(brokers, {driver, set: ['bus.compression=none']})
const seconds = await TASKS()[task]?.(bus)
await bus.close()
process.stdout.write(`${JSON.stringify({records, seconds})}\n`)

function TASKS(): Readonly<Record<string, (bus: Bus) => Promise<number>>> {
  return {produce: (bus) => produce(bus, preEncoded()), encode: (bus) => produce(bus, encoding()), consume}
}

/** Values that are there already, as Kafka's own tool has them. */
function preEncoded(): () => OutgoingRecord[] {
  const value = 'SSXVNJHPDQDXVCRASTVYBCWVMGNYKRXVZXKGXTSPSJDGYLUEGQFLAQLOCFLJBEPOWFNSOMYARHAOPUFOJHHDXEHXJBHWGSMZJGNL'.repeat(2)
  if (Buffer.byteLength(value) !== VALUE_BYTES) throw new Error('the value has another length')
  return () => Array.from({length: BATCH}, (_, index) => ({topic, partition: index % PARTITIONS, key: null, value}))
}

/** Trades that are encoded one by one, with their key. */
function encoding(): () => OutgoingRecord[] {
  let sequence = 0
  const next = (): OutgoingRecord => {
    sequence += 1
    const tradeId = `17${String(sequence).padStart(15, '0')}`
    const trade: Trade = {
      type: 'trade',
      id: `trade:upbit:BTC-KRW:${tradeId}`,
      exchange: 'upbit',
      symbol: 'BTC-KRW',
      price: '143210000',
      size: '0.00123456',
      side: 'buy',
      tradeId,
      eventTime: 1_795_000_000_000_000 + sequence,
      receivedTime: 1_795_000_000_002_000 + sequence,
    }
    return {topic, key: `upbit:M${sequence % 200}`, value: encodeRecord(trade)}
  }
  return () => Array.from({length: BATCH}, next)
}

async function produce(bus: Bus, batch: () => OutgoingRecord[]): Promise<number> {
  const startedMs = performance.now()
  const underWay = new Set<Promise<unknown>>()
  for (let sent = 0; sent < records; sent += BATCH) {
    const publish: Promise<unknown> = bus.publish(batch()).finally(() => underWay.delete(publish))
    underWay.add(publish)
    if (underWay.size >= UNDER_WAY) await Promise.race(underWay)
  }
  await Promise.all(underWay)
  return (performance.now() - startedMs) / 1000
}

/**
 * From the first delivery to the last commit, as Kafka's own tool counts fetching without the time that joining took. Acks are not waited for one by one,
 * as sinks don't either; the tool commits every 5 s.
 */
async function consume(bus: Bus): Promise<number> {
  const stop = new AbortController()
  const subscription = bus.subscribe({group: `bench-${process.pid}`, topics: [topic], maxBatchRecords: 5000}, stop.signal)
  let startedMs = 0
  let seen = 0
  const acks: Promise<void>[] = []
  for await (const delivery of subscription) {
    startedMs ||= performance.now()
    seen += delivery.items.length
    acks.push(delivery.ack())
    if (seen >= records) stop.abort()
  }
  await Promise.all(acks)
  const seconds = (performance.now() - startedMs) / 1000
  await subscription.close()
  return seconds
}
