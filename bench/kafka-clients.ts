import {join} from 'node:path'
import {type BenchCluster, withCluster} from './kafka/cluster.ts'
import {timed} from './kafka/timed.ts'
import {median} from './measure.ts'

const RECORDS = 2_000_000
const ROUNDS = 5
const RECORD_BYTES = 200
const PARTITIONS = 6
const CLIENT = join(import.meta.dirname, 'kafka/client.ts')
const MIN_PRODUCE = 0.95
const MAX_PRODUCE_CPU = 0.7
const MIN_CONSUME = 1

interface Round {
  readonly perSecond: number
  /** CPU seconds of the client for a million records, its start included. */
  readonly cpuPerMillion: number
}

type Client = (cluster: BenchCluster, topic: string) => Promise<Round>

/** Both drivers through the whole bus against Kafka's own tools: the same records to the same brokers, in turns. */
export async function run(): Promise<boolean> {
  return await withCluster(async (cluster) => {
    await warmUp(cluster)
    const produced = await alternate(cluster, {
      'ProducerPerformance (Java)': javaProducer,
      'coinpipe, platformatic': node('produce', 'platformatic'),
      'coinpipe, kafkajs': node('produce', 'kafkajs'),
      'coinpipe, platformatic, with encoding': node('encode', 'platformatic'),
    })
    const filled = await newTopic(cluster, 'filled')
    await javaProducer(cluster, filled)
    const consumed = await alternate(
      cluster,
      {
        'ConsumerPerformance (Java)': javaConsumer,
        'coinpipe, platformatic': node('consume', 'platformatic'),
        'coinpipe, kafkajs': node('consume', 'kafkajs'),
      },
      filled,
    )
    print(`produce ${RECORDS} records of ${RECORD_BYTES} bytes, RF 2, acks 1`, produced)
    print(`consume them`, consumed)
    const [java, ours] = [produced.get('ProducerPerformance (Java)'), produced.get('coinpipe, platformatic')]
    const [javaReads, oursReads] = [consumed.get('ConsumerPerformance (Java)'), consumed.get('coinpipe, platformatic')]
    if (!java || !ours || !javaReads || !oursReads) return false
    const rate = ours.perSecond / java.perSecond
    const cpu = ours.cpuPerMillion / java.cpuPerMillion
    const reads = oursReads.perSecond / javaReads.perSecond
    process.stdout.write(
      `produce: ${rate.toFixed(2)}× the rate (bound: ${MIN_PRODUCE}) at ${cpu.toFixed(2)}× the CPU (bound: ${MAX_PRODUCE_CPU})\n`,
    )
    process.stdout.write(`consume: ${reads.toFixed(2)}× the rate (bound: ${MIN_CONSUME})\n`)
    return rate >= MIN_PRODUCE && cpu <= MAX_PRODUCE_CPU && reads >= MIN_CONSUME
  })
}

/** The brokers' first million records are slow ones. */
async function warmUp(cluster: BenchCluster): Promise<void> {
  await javaProducer(cluster, await newTopic(cluster, 'warm-up'))
}

/** Rounds in which every client has its turn, each with a topic of its own unless one is given; medians. */
async function alternate(
  cluster: BenchCluster,
  clients: Readonly<Record<string, Client>>,
  topic?: string,
): Promise<ReadonlyMap<string, Round>> {
  const rounds = new Map(Object.keys(clients).map((name): [string, Round[]] => [name, []]))
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const [index, [name, client]] of Object.entries(clients).entries()) {
      const used = topic ?? (await newTopic(cluster, `round-${round}-${index}`))
      rounds.get(name)?.push(await client(cluster, used))
      if (topic === undefined) await topics(cluster, '--delete', '--topic', used)
    }
  }
  return new Map([...rounds].map(([name, all]) => [name, medians(all)]))
}

function medians(rounds: readonly Round[]): Round {
  return {
    perSecond: median(rounds.map(({perSecond}) => perSecond)),
    cpuPerMillion: median(rounds.map(({cpuPerMillion}) => cpuPerMillion)),
  }
}

async function newTopic(cluster: BenchCluster, name: string): Promise<string> {
  const topic = `bench-${name}`
  await topics(cluster, '--create', '--topic', topic, '--partitions', String(PARTITIONS), '--replication-factor', '2')
  return topic
}

async function topics({brokers, classpath}: BenchCluster, ...options: readonly string[]): Promise<void> {
  await java(classpath, 'org.apache.kafka.tools.TopicCommand', ['--bootstrap-server', brokers, ...options])
}

function node(task: string, driver: string): Client {
  return async ({brokers}, topic) => {
    const {stdout, cpuSeconds} = await timed(process.execPath, [CLIENT, task, driver, brokers, topic, String(RECORDS)])
    const {seconds} = JSON.parse(stdout) as {seconds: number}
    return {perSecond: RECORDS / seconds, cpuPerMillion: (cpuSeconds / RECORDS) * 1e6}
  }
}

async function javaProducer({brokers, classpath}: BenchCluster, topic: string): Promise<Round> {
  const {stdout, cpuSeconds} = await java(classpath, 'org.apache.kafka.tools.ProducerPerformance', [
    ...['--topic', topic, '--num-records', String(RECORDS), '--record-size', String(RECORD_BYTES), '--throughput', '-1'],
    ...['--producer-props', `bootstrap.servers=${brokers}`, 'acks=1'],
  ])
  const [, perSecond] = /, ([\d.]+) records\/sec [^\n]*99\.9th\.?\s*$/.exec(stdout) ?? []
  return {perSecond: Number(perSecond), cpuPerMillion: (cpuSeconds / RECORDS) * 1e6}
}

async function javaConsumer({brokers, classpath}: BenchCluster, topic: string): Promise<Round> {
  const {stdout, cpuSeconds} = await java(classpath, 'org.apache.kafka.tools.ConsumerPerformance', [
    ...['--bootstrap-server', brokers, '--topic', topic, '--num-records', String(RECORDS), '--group', `bench-java-${performance.now()}`],
    '--hide-header',
  ])
  const columns = stdout.trim().split('\n').at(-1)?.split(',') ?? []
  return {perSecond: Number(columns.at(-1)), cpuPerMillion: (cpuSeconds / RECORDS) * 1e6}
}

function java(classpath: string, tool: string, args: readonly string[]) {
  return timed('java', ['-cp', classpath, tool, ...args])
}

function print(title: string, rounds: ReadonlyMap<string, Round>): void {
  process.stdout.write(`${title}, medians of ${ROUNDS} rounds in turns\n`)
  for (const [name, {perSecond, cpuPerMillion}] of rounds) {
    process.stdout.write(
      `  ${name.padEnd(40)} ${String(Math.round(perSecond)).padStart(8)}/s ${cpuPerMillion.toFixed(2).padStart(6)} CPU-s/M\n`,
    )
  }
}
