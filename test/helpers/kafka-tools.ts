import {execFile} from 'node:child_process'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import type {PartitionReplication} from '../../src/lib/core/ports/bus.ts'
import {kafkaUnderTest} from './kafka.ts'
import {tempDir} from './temp-dir.ts'

/** What Kafka's own command-line tools say of the cluster under test. */

export interface ToolTopic {
  readonly settings: Readonly<Record<string, string>>
  readonly replication: readonly Omit<PartitionReplication, 'leaderEpoch'>[]
}

/** Lines of `kafka-consumer-groups --describe`; null is its dash. */
export interface ToolLag {
  readonly topic: string
  readonly partition: number
  readonly committed: number | null
  readonly latest: number | null
  readonly lag: number | null
}

export async function toolTopic(topic: string): Promise<ToolTopic> {
  const lines = await run('TopicCommand', ['--describe', '--topic', topic])
  const fields = lines.filter((line) => /^\s*Topic: /.test(line)).map(fieldsOf)
  const [head, ...partitions] = fields
  const pairs = (head?.Configs ?? '').split(',').filter((pair) => pair !== '')
  return {
    settings: Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])),
    replication: partitions.map(({Partition, Leader, Replicas, Isr}) => ({
      topic,
      partition: Number(Partition),
      leader: Leader === 'none' ? null : Number(Leader),
      replicas: numbers(Replicas),
      isr: numbers(Isr),
    })),
  }
}

export async function toolLag(group: string): Promise<ToolLag[]> {
  const lines = await run('consumer.group.ConsumerGroupCommand', ['--describe', '--group', group])
  const rows = lines.map((line) => line.split(/\s+/)).filter(([name]) => name === group)
  const number = (text: string | undefined) => (text === '-' ? null : Number(text))
  return rows
    .map(([, topic, partition, committed, latest, lag]) => ({
      topic: String(topic),
      partition: Number(partition),
      committed: number(committed),
      latest: number(latest),
      lag: number(lag),
    }))
    .sort((a, b) => a.partition - b.partition)
}

export async function toolGroups(): Promise<string[]> {
  return (await run('consumer.group.ConsumerGroupCommand', ['--list'])).filter((line) => line !== '').sort()
}

/** Values from the beginning of a topic, as kafka-console-consumer prints them. */
export async function toolConsume(topic: string, count: number): Promise<string[]> {
  const args = ['--topic', topic, '--from-beginning', '--max-messages', String(count), '--timeout-ms', '20000']
  return (await run('consumer.ConsoleConsumer', args)).slice(0, count)
}

/** Publishes as kafka-console-producer does; without line breaks and bars in keys and values. */
export async function toolProduce(topic: string, records: readonly {readonly key: string; readonly value: string}[]): Promise<void> {
  const lines = records.map(({key, value}) => `${key}|${value}\n`)
  await run(
    'ConsoleProducer',
    ['--topic', topic, '--reader-property', 'parse.key=true', '--reader-property', 'key.separator=|'],
    lines.join(''),
  )
}

/** The id of the active controller of a KRaft cluster. */
export async function toolController(): Promise<string> {
  const lines = await run('MetadataQuorumCommand', ['describe', '--status'])
  return lines.find((line) => line.startsWith('LeaderId:'))?.replace(/\D+/, '') ?? ''
}

/** Gives each partition of a topic these replicas, in this order: the first one is the preferred leader from then on. */
export async function toolReassign(topic: string, replicas: readonly (readonly number[])[]): Promise<void> {
  const folder = await tempDir()
  const file = join(folder, 'plan.json')
  const partitions = replicas.map((of, partition) => ({topic, partition, replicas: of}))
  await writeFile(file, JSON.stringify({version: 1, partitions}))
  await run('reassign.ReassignPartitionsCommand', ['--reassignment-json-file', file, '--execute'])
}

/** `Topic: x<tab>Partition: 0<tab>Elr: ` by their names. */
function fieldsOf(line: string): Record<string, string> {
  const fields = line.split('\t').filter((field) => field.includes(':'))
  return Object.fromEntries(fields.map((field) => [field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 1).trim()]))
}

function numbers(list: string | undefined): number[] {
  return (list ?? '')
    .split(',')
    .filter((part) => part !== '')
    .map(Number)
}

async function run(tool: string, args: readonly string[], input = ''): Promise<string[]> {
  const {brokers, classpath} = kafkaUnderTest()
  const java = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', classpath, `org.apache.kafka.tools.${tool}`]
  const running = promisify(execFile)('java', [...java, '--bootstrap-server', brokers.join(','), ...args], {timeout: 30_000})
  running.child.stdin?.end(input)
  const {stdout} = await running
  return stdout.split('\n')
}
