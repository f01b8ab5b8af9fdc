import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {fileURLToPath} from 'node:url'
import {describe, expect, it} from 'vitest'
import {KafkaClient} from '../../src/lib/bus/kafka/client.ts'
import {KafkaError} from '../../src/lib/bus/kafka/errors.ts'
import type {KafkaBus} from '../../src/lib/bus/kafka/kafka-bus.ts'
import {BatchWriter} from '../../src/lib/bus/kafka-platformatic/batch-writer.ts'
import {GroupMembers} from '../../src/lib/bus/kafka-platformatic/group-members.ts'
import {Transactions} from '../../src/lib/bus/kafka-platformatic/transactions.ts'
import {FencedError} from '../../src/lib/core/errors.ts'
import type {BusMessage, Isolation} from '../../src/lib/core/ports/bus.ts'
import {PATIENCE_MS, Reader, unique, values} from '../contract/bus-world.ts'
import {testContext} from '../helpers/context.ts'
import {kafkaOptions} from '../helpers/kafka.ts'
import {connectedBus, newTopic, numberedFrom, range} from '../helpers/kafka-bus.ts'

/** Within this time readers of what is committed have to move on after a restart. */
const MOVES_ON_MS = 5_000
const PROCESS = fileURLToPath(new URL('../helpers/transaction-process.ts', import.meta.url))

function reader(bus: KafkaBus, topic: string, isolation: Isolation): Reader {
  const controller = new AbortController()
  return new Reader(bus.subscribe({group: unique('group'), topics: [topic], isolation}, controller.signal), controller)
}

async function publishIn(bus: KafkaBus, id: string, topic: string, value: string): Promise<void> {
  await bus.transaction({id}, (transaction) => transaction.publish([{topic, partition: 0, key: null, value}]))
}

describe('transactions', () => {
  it('go on after three clean restarts', async () => {
    const [id, watcher] = [unique('txn'), await connectedBus()]
    const topic = await newTopic(watcher)
    const committed = reader(watcher, topic, 'committed')
    for (const life of [1, 2, 3, 4]) {
      const bus = await connectedBus()
      await publishIn(bus, id, topic, `life ${life} a`)
      await publishIn(bus, id, topic, `life ${life} b`)
      await bus.close()
      expect(values(await committed.take(2, MOVES_ON_MS))).toEqual([`life ${life} a`, `life ${life} b`])
    }
  })

  it('go on after three kills in the middle of one, and nobody sees what was killed', async () => {
    const [id, watcher] = [unique('txn'), await connectedBus()]
    const topic = await newTopic(watcher)
    const committed = reader(watcher, topic, 'committed')
    for (const life of [1, 2, 3]) {
      await writeAndBeKilled(id, topic)
      const bus = await connectedBus()
      const startedMs = performance.now()
      await publishIn(bus, id, topic, `life ${life}`)
      expect(values(await committed.take(1, MOVES_ON_MS))).toEqual([`life ${life}`])
      expect(performance.now() - startedMs).toBeLessThan(MOVES_ON_MS)
      await bus.close()
    }
    expect(values(await reader(watcher, topic, 'uncommitted').take(18))).toEqual(
      [1, 2, 3].flatMap((life) => [...range(5).map((at) => `killed ${at}`), `life ${life}`]),
    )
  })

  it('that were given up are read by those who ask for what is not committed, and by nobody else', async () => {
    const bus = await connectedBus()
    const topic = await newTopic(bus)
    await giveUp(topic, 1000)
    await bus.publish([{topic, partition: 0, key: null, value: 'plain'}])
    expect(values(await reader(bus, topic, 'committed').take(1))).toEqual(['plain'])
    expect(values(await reader(bus, topic, 'uncommitted').take(1001))).toEqual([...range(1000), 'plain'])
    const from = {topic, partition: 0, offset: 0}
    await expect.poll(async () => values(await bus.read(from, 2000)), {timeout: PATIENCE_MS}).toEqual(['plain'])
    expect(await bus.read(from, 2000, {isolation: 'uncommitted'})).toHaveLength(1001)
  })

  it('hold more than one batch of a partition, and several partitions', async () => {
    const bus = await connectedBus({batchBytes: 2000})
    const topic = await newTopic(bus, {partitions: 2})
    const records = Array.from({length: 400}, (_, at) => ({topic, partition: at % 2, key: null, value: String(at)}))
    await bus.transaction({id: unique('txn')}, (transaction) => transaction.publish(records))
    const read: BusMessage[] = await reader(bus, topic, 'committed').take(400)
    for (const partition of [0, 1]) {
      const mine = values(read.filter((message) => message.partition === partition))
      expect(mine).toEqual(range(400).filter((value) => Number(value) % 2 === partition))
    }
  })

  it('of one id take turns, and the later start wins', async () => {
    const bus = await connectedBus()
    const [topic, id] = [await newTopic(bus), unique('txn')]
    const opened = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const older = bus.transaction({id}, async (transaction) => {
      await transaction.publish(numberedFrom(topic, 0, 1))
      opened.resolve()
      await release.promise
    })
    const refused = expect(older).rejects.toBeInstanceOf(FencedError)
    await opened.promise
    await publishIn(bus, id, topic, 'newer')
    release.resolve()
    await refused
    await publishIn(bus, id, topic, 'again')
    expect(values(await reader(bus, topic, 'committed').take(2))).toEqual(['newer', 'again'])
  })

  it('that were fenced by another process begin anew with the next start', async () => {
    const [older, newer] = [await connectedBus(), await connectedBus()]
    const [topic, id] = [await newTopic(older), unique('txn')]
    await publishIn(older, id, topic, 'older')
    await publishIn(newer, id, topic, 'newer')
    await expect(publishIn(older, id, topic, 'too late')).rejects.toBeInstanceOf(FencedError)
    await publishIn(older, id, topic, 'older again')
    expect(values(await reader(older, topic, 'committed').take(3))).toEqual(['older', 'newer', 'older again'])
  })
})

/** Writes records as a transaction in a process that is killed before it can end it. */
async function writeAndBeKilled(id: string, topic: string): Promise<void> {
  const child = spawn(process.execPath, [PROCESS, kafkaOptions().brokers.join(','), id, topic, '5'], {stdio: ['ignore', 'pipe', 'inherit']})
  const ended = once(child, 'exit')
  await Promise.race([once(child.stdout, 'data'), ended])
  expect(child.exitCode).toBeNull()
  child.kill('SIGKILL')
  await ended
}

/** Writes records as a transaction that fails before its end. */
async function giveUp(topic: string, count: number): Promise<void> {
  const options = kafkaOptions()
  const {clock, logger} = testContext()
  const client = new KafkaClient(options)
  await client.connect()
  const inner = new BatchWriter({client, clock, requestTimeoutMs: options.requestTimeoutMs})
  const failing: Pick<BatchWriter, 'write'> = {
    write: async (parcels, how) => {
      await inner.write(parcels, how)
      return parcels.map(() => ({error: new KafkaError('POLICY_VIOLATION', 'refused'), name: 'POLICY_VIOLATION'}))
    },
  }
  const transactions = new Transactions({client, writer: failing, members: new GroupMembers(), options, clock, logger})
  const id = unique('txn')
  const records = numberedFrom(topic, 0, count)
  const content = {id, epoch: await transactions.start(id), records, bytes: 0, commits: []}
  await expect(transactions.commit(content, [{topic, partition: 0, compression: 'lz4', records}])).rejects.toBeInstanceOf(KafkaError)
  await client.close()
}
