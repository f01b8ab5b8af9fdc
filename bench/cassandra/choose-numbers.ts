import {readdir, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {writeDecimal} from '../../src/lib/store/cassandra/decimal.ts'
import {median} from '../measure.ts'
import {bareWriter} from './bare-writer.ts'
import type {BenchNodes} from './cluster.ts'
import {evenly, trade} from './rows.ts'
import {makeTradeTable, truncate} from './table.ts'

const ROWS = 200_000
const ROUNDS = 3
const MARKETS = 20
const TEXTS = 100_000
const REPEATS = 20
const TYPES = ['decimal', 'double'] as const
type NumberType = (typeof TYPES)[number]

/** What exact prices and sizes cost: CPU of the node and bytes on its disk for the same rows, and what it takes to write a number into a request. */
export async function chooseNumbers(nodes: BenchNodes): Promise<void> {
  const items = Array.from({length: ROWS}, (_, index) => ({record: trade(index, {spread: evenly(MARKETS)})}))
  const cpu: Record<NumberType, number[]> = {decimal: [], double: []}
  for (const type of TYPES) await makeTradeTable(nodes.session, {keyspace: keyspaceOf(type), replicas: 1, numbers: type, snapshots: true})
  const bytes: Partial<Record<NumberType, number>> = {}
  // The first one warms up.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const type of TYPES) {
      const seconds = await write(nodes, type, items)
      if (round > 0) cpu[type].push(seconds)
      await truncate(nodes.session, keyspaceOf(type))
      bytes[type] = await newestSnapshotBytes(nodes, keyspaceOf(type))
    }
  }
  process.stdout.write(`prices and sizes: ${ROWS} rows, medians of ${ROUNDS} rounds in turns\n`)
  for (const type of TYPES) {
    const perRow = ((bytes[type] ?? Number.NaN) / ROWS).toFixed(1)
    const server = ((median(cpu[type]) / ROWS) * 1e6).toFixed(2)
    process.stdout.write(
      `  ${type.padEnd(10)}${server} CPU-s/M rows of the node, ${perRow} bytes/row on disk, ${encodeNs(type).toFixed(0)} ns to encode one\n`,
    )
  }
}

function keyspaceOf(type: NumberType): string {
  return `bench_${type}`
}

async function write(
  nodes: BenchNodes,
  numbers: NumberType,
  items: Parameters<Awaited<ReturnType<typeof bareWriter>>['write']>[0],
): Promise<number> {
  const writer = await bareWriter({...nodes.options, keyspace: keyspaceOf(numbers)}, {batchRows: 100, inFlight: 32, numbers})
  await nodes.untilQuiet()
  const before = nodes.cpuSeconds()
  await writer.write(items)
  const seconds = nodes.cpuSeconds() - before
  await writer.close()
  return seconds
}

/** Files that Cassandra keeps of rows that were removed: all of them, flushed. */
async function newestSnapshotBytes({dataFolders}: BenchNodes, keyspace: string): Promise<number> {
  const found: {readonly folder: string; readonly ms: number}[] = []
  for (const dataFolder of dataFolders) {
    for (const table of await readdir(join(dataFolder, keyspace))) {
      const snapshots = join(dataFolder, keyspace, table, 'snapshots')
      for (const name of await readdir(snapshots))
        found.push({folder: join(snapshots, name), ms: (await stat(join(snapshots, name))).mtimeMs})
    }
  }
  const newest = found.toSorted((a, b) => b.ms - a.ms)[0]
  if (!newest) return Number.NaN
  const files = (await readdir(newest.folder)).filter((name) => name.endsWith('-Data.db'))
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(newest.folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Writes prices and sizes, one after the other, into the same bytes. */
function encodeNs(type: NumberType): number {
  const texts = Array.from({length: TEXTS / 2}, (_, index) => trade(index, {spread: evenly(MARKETS)})).flatMap(({price, size}) => [
    price,
    size,
  ])
  const bytes = Buffer.alloc(64)
  const encode = type === 'double' ? (text: string) => bytes.writeDoubleBE(Number(text)) : (text: string) => writeDecimal(text, bytes, 0)
  const once = () => {
    for (const text of texts) encode(text)
  }
  once()
  const startedMs = performance.now()
  for (let repeat = 0; repeat < REPEATS; repeat += 1) once()
  return ((performance.now() - startedMs) / (REPEATS * texts.length)) * 1e6
}
