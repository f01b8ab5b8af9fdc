import {type BenchNodes, withNodes} from './cassandra/cluster.ts'
import {javaPeer} from './cassandra/peers.ts'
import {evenly} from './cassandra/rows.ts'
import {sizes} from './cassandra/sizes.ts'
import {countTrades, truncate} from './cassandra/table.ts'
import {javaPipe, ours, type Taker, type Taking, take} from './cassandra/taker.ts'
import {withFilledTopic} from './cassandra/topic.ts'
import {alternate, bound, printRounds, type Round} from './cassandra/writers.ts'

const MARKETS = 50
const OURS = 'coinpipe sink cassandra'
const JAVA = 'Java consumer and driver'
/** Three nodes on this machine take their time. */
const ROUNDS_OF_THREE = 2

/** The whole path, a topic that is there already into Cassandra until nothing waits: the sink as users start it against a Java program that does the same. */
export async function run(): Promise<boolean> {
  return await withFilledTopic(sizes.records, evenly(MARKETS), async (topic) => {
    let held = true
    for (const count of sizes.nodes) {
      held = (await withNodes(count, (nodes) => measure({...topic, nodes, records: sizes.records}))) && held
    }
    return held
  })
}

async function measure(taking: Taking): Promise<boolean> {
  const {nodes} = taking
  const java = javaPeer()
  const takers = new Map<string, Taker>([[OURS, ours()], ...(java ? [[JAVA, javaPipe(java)] as [string, Taker]] : [])])
  const sides = new Map([...takers].map(([name, taker]) => [name, () => turn(taker, taking)]))
  // The nodes' own first rows are slow ones.
  for (const turn of sides.values()) await turn()
  const rounds = nodes.hosts.length === 1 ? sizes.rounds : Math.min(sizes.rounds, ROUNDS_OF_THREE)
  const results = await alternate(sides, rounds)
  printRounds(`${titleOf(nodes)}: ${sizes.records} records, medians of ${rounds} rounds in turns`, results)
  return judge(results)
}

let turns = 0

async function turn(taker: Taker, taking: Taking): Promise<Round> {
  const {session, options} = taking.nodes
  await truncate(session, options.keyspace)
  turns += 1
  const round = await take(taker, taking, `bench-${process.pid}-${turns}`)
  const rows = await countTrades(session, options.keyspace)
  if (rows !== taking.records) throw new Error(`${rows} rows of ${taking.records} records`)
  return round
}

function titleOf({hosts, tables}: BenchNodes): string {
  return hosts.length === 1 ? 'one node' : `${hosts.length} nodes, RF ${tables.replicas}`
}

function judge(rounds: ReadonlyMap<string, Round>): boolean {
  const [mine, java] = [rounds.get(OURS), rounds.get(JAVA)]
  if (!mine) return false
  if (!java) return true
  const held = [
    bound('rows/s of the Java program', mine.perSecond / java.perSecond, {min: 0.85}),
    bound('CPU of the Java program', mine.clientCpu / java.clientCpu, {max: 1.6}),
  ]
  return held.every(Boolean)
}
