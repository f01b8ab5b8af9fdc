import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {withNodes} from './cassandra/cluster.ts'
import {javaPeer} from './cassandra/peers.ts'
import {evenly, writeTrades} from './cassandra/rows.ts'
import {sizes} from './cassandra/sizes.ts'
import {truncate} from './cassandra/table.ts'
import {ours, type Taking, take} from './cassandra/taker.ts'
import {withFilledTopic} from './cassandra/topic.ts'
import {bound, means, measureWriter, printRounds, type Round} from './cassandra/writers.ts'

const MARKETS = 50
const MIN_SHARE = 0.8

/** Two million records wait; three nodes, two copies. `--catch-up` against the bare Java driver on rows that are decoded already, before and after. */
export async function run(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'coinpipe-bench-'))
  try {
    const files = [join(folder, 'warm-up.jsonl'), join(folder, 'rows.jsonl')]
    await writeTrades(files[0] as string, sizes.warmUpRows, {exchange: 'warmup', spread: evenly(MARKETS)})
    await writeTrades(files[1] as string, sizes.rows, {spread: evenly(MARKETS)})
    return await withFilledTopic(sizes.lag, evenly(MARKETS), (topic) =>
      withNodes(3, (nodes) => measure({...topic, nodes, records: sizes.lag}, files)),
    )
  } finally {
    await rm(folder, {recursive: true, force: true})
  }
}

async function measure(taking: Taking, files: readonly string[]): Promise<boolean> {
  const {hosts, options, session} = taking.nodes
  const java = javaPeer()
  const raw = async (): Promise<Round[]> => {
    if (!java) return []
    await truncate(session, options.keyspace)
    const common = [hosts.join(','), options.keyspace, String(sizes.batchRows), String(sizes.inFlight)]
    return [await measureWriter([...java, 'write', ...common, ...files], taking.nodes)]
  }
  // The nodes' own first rows are slow ones.
  await raw()
  const before = await raw()
  await truncate(session, options.keyspace)
  const mine = await take(ours('--catch-up'), taking, `bench-${process.pid}`)
  const rounds = [...before, ...(await raw())]
  const results = new Map([
    ['sink cassandra --catch-up', mine],
    ...(rounds.length > 0 ? [['Java driver, decoded rows', means(rounds)] as const] : []),
  ])
  printRounds(`3 nodes, RF ${taking.nodes.tables.replicas}: ${taking.records} waiting records`, results)
  return rounds.length === 0 || bound('rows/s of the bare Java driver', mine.perSecond / means(rounds).perSecond, {min: MIN_SHARE})
}
