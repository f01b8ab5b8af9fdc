import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {BenchNodes} from './cluster.ts'
import {sinkClient} from './peers.ts'
import {evenly, writeTrades} from './rows.ts'
import {truncate} from './table.ts'
import {alternate, measureWriter, printRounds, type Round} from './writers.ts'

const ROWS = 300_000
const WARM_UP_ROWS = 100_000
const ROUNDS = 3
/** So few that a delivery of 5,000 records holds 200 rows of each. */
const MARKETS = 25
const BATCHES = [20, 50, 100, 200]

/** Our sink with more and with fewer rows in a batch. */
export async function chooseBatches(nodes: BenchNodes): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'coinpipe-bench-'))
  try {
    const files = [join(folder, 'warm-up.jsonl'), join(folder, 'rows.jsonl')] as const
    await writeTrades(files[0], WARM_UP_ROWS, {exchange: 'warmup', spread: evenly(MARKETS)})
    await writeTrades(files[1], ROWS, {spread: evenly(MARKETS)})
    const sides = new Map(BATCHES.map((rows): [string, () => Promise<Round>] => [`batches of ${rows}`, () => turn(nodes, rows, files)]))
    for (const take of sides.values()) await take()
    printRounds(`rows a batch: ${ROWS} rows, medians of ${ROUNDS} rounds in turns`, await alternate(sides, ROUNDS))
  } finally {
    await rm(folder, {recursive: true, force: true})
  }
}

async function turn(nodes: BenchNodes, batchRows: number, files: readonly string[]): Promise<Round> {
  const {hosts, options, session} = nodes
  await truncate(session, options.keyspace)
  return await measureWriter([...sinkClient('sink'), hosts.join(','), options.keyspace, String(batchRows), '1', ...files], nodes)
}
