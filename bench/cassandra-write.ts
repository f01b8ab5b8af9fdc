import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type BenchNodes, withNodes} from './cassandra/cluster.ts'
import {javaPeer, type Program, pythonPeer, sinkClient} from './cassandra/peers.ts'
import {evenly, writeTrades} from './cassandra/rows.ts'
import {sizes} from './cassandra/sizes.ts'
import {truncate} from './cassandra/table.ts'
import {alternate, bound, measureWriter, printRounds, type Round} from './cassandra/writers.ts'

const MARKETS = 50
const OURS = 'coinpipe'
const JAVA = 'Java driver'
const PYTHON = 'Python driver'

interface Files {
  readonly warmUp: string
  readonly rows: string
}

/** Rows that are decoded already into one node, and into three with two copies: our sink against the Java and the Python driver, with the same batches. */
export async function run(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'coinpipe-bench-'))
  try {
    const files = {warmUp: join(folder, 'warm-up.jsonl'), rows: join(folder, 'rows.jsonl')}
    await writeTrades(files.warmUp, sizes.warmUpRows, {exchange: 'warmup', spread: evenly(MARKETS)})
    await writeTrades(files.rows, sizes.rows, {spread: evenly(MARKETS)})
    let held = true
    for (const nodes of sizes.nodes) held = (await withNodes(nodes, (cluster) => measure(cluster, files))) && held
    return held
  } finally {
    await rm(folder, {recursive: true, force: true})
  }
}

async function measure(nodes: BenchNodes, files: Files): Promise<boolean> {
  const {tables, hosts} = nodes
  const sides = new Map([...programs(nodes)].map(([name, program]) => [name, () => turn(nodes, [...program, files.warmUp, files.rows])]))
  // The nodes' own first rows are slow ones.
  for (const take of sides.values()) await take()
  const rounds = await alternate(sides, sizes.rounds)
  printRounds(
    `${hosts.length === 1 ? 'one node' : `${hosts.length} nodes, RF ${tables.replicas}`}: ${sizes.rows} rows, medians of ${sizes.rounds} rounds in turns`,
    rounds,
  )
  return judge(rounds)
}

async function turn({session, options, ...rest}: BenchNodes, program: Program): Promise<Round> {
  await truncate(session, options.keyspace)
  return await measureWriter(program, {session, options, ...rest})
}

function programs({hosts, options}: BenchNodes): ReadonlyMap<string, Program> {
  const common = [hosts.join(','), options.keyspace, String(sizes.batchRows), String(sizes.inFlight)]
  const java = javaPeer()
  const python = pythonPeer()
  return new Map<string, Program>([
    [OURS, [...sinkClient('sink'), ...common]],
    ...(java ? [[JAVA, [...java, 'write', ...common]] as [string, Program]] : []),
    ...(python ? [[PYTHON, [...python, ...common]] as [string, Program]] : []),
    ...(sizes.bare ? [['npm driver, bare', [...sinkClient('driver'), ...common]] as [string, Program]] : []),
  ])
}

function judge(rounds: ReadonlyMap<string, Round>): boolean {
  const [ours, java, python] = [rounds.get(OURS), rounds.get(JAVA), rounds.get(PYTHON)]
  if (!ours) return false
  const held = [
    !java || bound('rows/s of the Java driver', ours.perSecond / java.perSecond, {min: 1}),
    !java || bound('client CPU of the Java driver', ours.clientCpu / java.clientCpu, {max: 1.1}),
    !python || bound('rows/s of the Python driver', ours.perSecond / python.perSecond, {min: 2}),
  ]
  return held.every(Boolean)
}
