import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {describe, expect, it, onTestFinished} from 'vitest'
import {EmbeddedBus} from '../../src/lib/bus/embedded/embedded-bus.ts'
import type {BusMessage} from '../../src/lib/core/ports/bus.ts'
import {testContext} from '../helpers/context.ts'
import {type Started, start} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'

const PROCESS = fileURLToPath(new URL('../helpers/bus-process.ts', import.meta.url))
const TOPIC = 'crash'
const PARTITIONS = 4
const ROUNDS = 6
const TAKE_OVER_MS = 2000

function startProcess(role: 'publish' | 'consume', path: string, name: string): Started {
  return start(process.execPath, [PROCESS, role, path, TOPIC, name])
}

/** Whole lines only: the last one may be cut off. */
function linesOf(child: Started): string[] {
  return child.output().stdout.split('\n').slice(0, -1)
}

async function kill(child: Started): Promise<void> {
  child.child.kill('SIGKILL')
  await child.ended
}

async function openBus(path: string): Promise<EmbeddedBus> {
  const bus = new EmbeddedBus({path, topics: {[TOPIC]: {partitions: PARTITIONS, retentionMs: null, retentionBytes: null}}}, testContext())
  await bus.connect()
  onTestFinished(() => bus.close())
  return bus
}

async function readAll(bus: EmbeddedBus, partition: number): Promise<readonly BusMessage[]> {
  return bus.read({topic: TOPIC, partition, offset: 0}, Number.MAX_SAFE_INTEGER)
}

describe('embedded bus and kill -9', () => {
  it(`keeps every acknowledged record, offsets dense, through ${ROUNDS} kills of two publishers at once`, async () => {
    const path = join(await tempDir(), 'log.sqlite')
    const bus = await openBus(path)
    const acknowledged: string[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const names = [`a${round}`, `b${round}`]
      const children = names.map((name) => startProcess('publish', path, name))
      const some = 1 + Math.floor(Math.random() * 200)
      await until('both publish', () => children.every((child) => linesOf(child).length > some), 20_000)
      await Promise.all(children.map(kill))
      for (const [index, child] of children.entries()) {
        for (const line of linesOf(child)) {
          const [partition, count] = line.split(' ').map(Number)
          acknowledged.push(`${names[index]}:${partition}:${(count ?? 0) - 1}`)
        }
      }
    }
    expect(acknowledged.length).toBeGreaterThan(ROUNDS * 2)
    const values = new Set<string>()
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const messages = await readAll(bus, partition)
      expect(messages.map((message) => message.offset)).toEqual(messages.map((_, offset) => offset))
      for (const message of messages) values.add(String(message.value))
      expectEachPublisherInOrder(messages)
    }
    expect(acknowledged.filter((value) => !values.has(value))).toEqual([])
  })

  it(`hands the partitions of a killed member over in less than ${TAKE_OVER_MS} ms`, async () => {
    const path = join(await tempDir(), 'log.sqlite')
    const bus = await openBus(path)
    const publish = (value: string) =>
      bus.publish(Array.from({length: PARTITIONS}, (_, partition) => ({topic: TOPIC, partition, key: null, value})))
    await publish('first')
    const child = startProcess('consume', path, 'readers')
    await until('the child to read', () => linesOf(child).length === PARTITIONS, 20_000)
    const abort = new AbortController()
    const subscription = bus.subscribe({group: 'readers', topics: [TOPIC]}, abort.signal)
    await until('half of the partitions to move here', () => subscription.assignment().length === PARTITIONS / 2, 15_000)
    await kill(child)
    const killedAt = performance.now()
    await publish('second')
    const seen: BusMessage[] = []
    for await (const delivery of subscription) {
      seen.push(...delivery.items)
      await delivery.ack()
      if (seen.length >= PARTITIONS) break
    }
    const tookMs = performance.now() - killedAt
    expect(seen.map((message) => message.value)).toEqual(Array(PARTITIONS).fill('second'))
    expect(tookMs).toBeLessThan(TAKE_OVER_MS)
    abort.abort()
  })
})

/** Records of one publisher lie in the order in which it published them, without holes. */
function expectEachPublisherInOrder(messages: readonly BusMessage[]): void {
  const next = new Map<string, number>()
  for (const message of messages) {
    const [name = '', , number] = String(message.value).split(':')
    expect(Number(number)).toBe(next.get(name) ?? 0)
    next.set(name, Number(number) + 1)
  }
}
