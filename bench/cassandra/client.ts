/**
 * One writer of the Cassandra benches, in a process of its own so that its CPU time can be told from everything else:
 * `client.ts sink|driver HOSTS KEYSPACE BATCH_ROWS IN_FLIGHT WARM_UP_FILE ROWS_FILE`. Prints `ready` once the rows are decoded and the warm-up is written,
 * waits for a line, writes the rows, and prints a line of JSON as the peers do. IN_FLIGHT is of the bare driver; the sink finds its own.
 */
import {createReadStream} from 'node:fs'
import {createInterface} from 'node:readline'
import {decodeRecord} from '../../src/lib/core/codec.ts'
import type {Sink, SinkItem} from '../../src/lib/core/ports/sink.ts'
import {CASSANDRA_DEFAULTS, TABLE_DEFAULTS, WRITE_DEFAULTS} from '../../src/lib/store/cassandra/options.ts'

import {createCassandraSink} from '../../src/lib/store/cassandra/sink.ts'
import {bareWriter} from './bare-writer.ts'
import {countingContext} from './context.ts'
import type {Writer} from './writer.ts'

/** Messages that the runner gives a sink at once. */
const CHUNK = 5000

const [kind = '', hosts = '', keyspace = '', batchRows = '', inFlight = '', warmUpFile = '', rowsFile = ''] = process.argv.slice(2)
const options = {...CASSANDRA_DEFAULTS, hosts: hosts.split(','), keyspace}
const tables = {...TABLE_DEFAULTS, replicas: Math.min(options.hosts.length, TABLE_DEFAULTS.replicas)}
const writer =
  kind === 'driver' ? await bareWriter(options, {batchRows: Number(batchRows), inFlight: Number(inFlight)}) : await sinkWriter()
const rows = await readItems(rowsFile)
await writer.write(await readItems(warmUpFile))
globalThis.gc?.()
process.stdout.write('ready\n')
const input = createInterface({input: process.stdin})
await input[Symbol.asyncIterator]().next()
input.close()

const batchesBefore = writer.batches()
const startCpu = process.cpuUsage()
const startedMs = performance.now()
await writer.write(rows)
const seconds = (performance.now() - startedMs) / 1000
const cpu = process.cpuUsage(startCpu)
const result = {
  rows: rows.length,
  batches: writer.batches() - batchesBefore,
  seconds,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  startCpuSeconds: (startCpu.user + startCpu.system) / 1e6,
}
process.stdout.write(`${JSON.stringify(result)}\n`)
await writer.close()

/** All with the same message, which the sink has no use for. */
async function readItems(file: string): Promise<SinkItem[]> {
  const message = {topic: 'market.trade', partition: 0, offset: 0, key: null, value: null, headers: {}, timestampMs: Date.now()}
  const items: SinkItem[] = []
  for await (const line of createInterface({input: createReadStream(file)})) items.push({record: decodeRecord(line), message})
  return items
}

/** Hands the sink chunk after chunk, as many at once as it says that it takes. */
async function sinkWriter(): Promise<Writer<SinkItem>> {
  const {context, batches} = countingContext()
  const sink: Sink = createCassandraSink(options, tables, {...WRITE_DEFAULTS, batchRows: Number(batchRows)}, context)
  await sink.connect()
  const atOnce = sink.concurrentWrites ?? 1
  return {
    async write(items) {
      const underWay = new Set<Promise<unknown>>()
      for (let from = 0; from < items.length; from += CHUNK) {
        const written: Promise<unknown> = writeChunk(sink, items.slice(from, from + CHUNK)).finally(() => underWay.delete(written))
        underWay.add(written)
        if (underWay.size >= atOnce) await Promise.race(underWay)
      }
      await Promise.all(underWay)
    },
    batches,
    close: () => sink.close(),
  }
}

async function writeChunk(sink: Sink, items: readonly SinkItem[]): Promise<void> {
  const {refused} = await sink.write({group: 'bench', items, next: []})
  if (refused.length > 0) throw new Error(`${refused.length} rows were refused: ${refused[0]?.message}`)
}
