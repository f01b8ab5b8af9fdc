import {describe, expect, it, onTestFinished} from 'vitest'
import {CorruptLogError} from '../../../src/lib/bus/errors.ts'
import {MemoryBus, type MemoryBusOptions} from '../../../src/lib/bus/memory/memory-bus.ts'
import {encodeRecord} from '../../../src/lib/core/codec.ts'
import type {OutgoingRecord, Subscription} from '../../../src/lib/core/ports/bus.ts'
import {groupCaughtUp, sinkCaughtUp} from '../../../src/lib/pipeline/caught-up.ts'
import {nextPositions, runSink} from '../../../src/lib/pipeline/sink.ts'
import {type TestContext, testContext} from '../../helpers/context.ts'
import {trade} from '../../helpers/market-records.ts'
import {MemorySink, MemoryTable} from '../../helpers/memory-sink.ts'
import {MoodyBus} from '../../helpers/moody-bus.ts'
import {until} from '../../helpers/until.ts'

const TOPIC = 'market.trade'
const GROUP = 'g'
const ONE_PARTITION = {partitions: 1, retentionMs: null, retentionBytes: null}
const SOON = () => AbortSignal.timeout(5000)

async function openBus<T extends MemoryBus>(Kind: new (options: MemoryBusOptions, context: TestContext) => T): Promise<T> {
  const bus = new Kind({topics: {[TOPIC]: ONE_PARTITION}}, testContext())
  await bus.connect()
  await bus.ensureTopic(TOPIC, ONE_PARTITION)
  return bus
}

/** A sink on the bus that runs until the test is over or it is stopped. */
async function run(bus: MemoryBus, sink: MemorySink) {
  const context = testContext()
  await sink.connect()
  const stop = new AbortController()
  const options = {bus, admin: bus, sink, group: GROUP, topics: [TOPIC], component: 'store'}
  const ended = runSink(options, stop.signal, context)
  onTestFinished(async () => {
    stop.abort()
    await ended.catch(() => undefined)
  })
  const caughtUp = () => sinkCaughtUp({admin: bus, sink, group: GROUP, topics: [TOPIC]}, SOON(), context.clock)
  const end = async () => {
    stop.abort()
    await ended
  }
  return {context, caughtUp, end, ended}
}

function values(...texts: (string | Uint8Array | null)[]): OutgoingRecord[] {
  return texts.map((value) => ({topic: TOPIC, key: 'k', value}))
}

const trades = (...ids: string[]) => values(...ids.map((id) => encodeRecord(trade(id))))

async function letters(bus: MemoryBus) {
  if (!(await bus.listTopics()).includes(`${TOPIC}.${GROUP}.dlq`)) return []
  return bus.read({topic: `${TOPIC}.${GROUP}.dlq`, partition: 0, offset: 0}, 100)
}

const ids = (table: MemoryTable) => [...table.rows.values()].map((record) => record.id.split(':')[3])

describe('runSink', () => {
  it('writes and then commits', async () => {
    const bus = await openBus(MemoryBus)
    const table = new MemoryTable()
    const {caughtUp, context, end} = await run(bus, new MemorySink(table))
    await bus.publish(trades('1', '2', '3'))
    expect(await caughtUp()).toBe(true)
    expect(ids(table)).toEqual(['1', '2', '3'])
    expect(await bus.lag(GROUP)).toMatchObject([{committed: 3}])
    expect(context.metrics.total('coinpipe_component_sent_total', {component: 'store'})).toBe(3)
    await end()
  })

  it('sets poison and refused records aside with all that is known, and stores the rest', async () => {
    const bus = await openBus(MemoryBus)
    const table = new MemoryTable()
    const bytes = new Uint8Array([0xff, 0x00, 0xfe])
    const refused = encodeRecord(trade('bad', {price: '-1'}))
    const {caughtUp, context} = await run(bus, new MemorySink(table))
    await bus.publish([
      ...trades('1'),
      {...values(bytes)[0], headers: {trace: 'x'}} as OutgoingRecord,
      ...trades('2'),
      ...values(refused, null),
    ])
    await bus.publish(trades('3'))
    expect(await caughtUp()).toBe(true)
    expect(ids(table)).toEqual(['1', '2', '3'])
    const [poison, negative] = await letters(bus)
    expect(Buffer.from(poison?.value as Uint8Array)).toEqual(Buffer.from(bytes))
    const source = {'source-topic': TOPIC, 'source-partition': '0', attempts: '1'}
    expect(poison?.headers).toMatchObject({...source, trace: 'x', 'source-offset': '1', 'error-code': 'COINPIPE_INVALID_RECORD'})
    expect(negative).toMatchObject({value: refused, headers: {...source, 'source-offset': '3', 'error-code': 'COINPIPE_STORE_RECORD'}})
    expect(negative?.headers['error-message']).toContain('-1')
    expect(context.metrics.total('coinpipe_dead_letters_total', {component: 'store'})).toBe(2)
  })

  it('does not commit a refused record while its dead letter cannot be published', async () => {
    const bus = await openBus(MoodyBus)
    const table = new MemoryTable()
    await bus.publish(trades('1', '2').concat(values('poison')))
    bus.mood = 'down'
    const {caughtUp} = await run(bus, new MemorySink(table))
    const before = bus.attempts
    await until('some attempts', () => bus.attempts > before + 2)
    expect(await bus.lag(GROUP)).toMatchObject([{committed: null}])
    expect(ids(table)).toEqual([])
    bus.mood = 'well'
    expect(await caughtUp()).toBe(true)
    expect([ids(table), await letters(bus)]).toMatchObject([['1', '2'], [{value: 'poison'}]])
  })

  it('tries a failing sink again, and counts that', async () => {
    const bus = await openBus(MemoryBus)
    const table = new MemoryTable()
    const sink = new MemorySink(table)
    sink.failures = 3
    const {caughtUp, context} = await run(bus, sink)
    await bus.publish(trades('1'))
    expect(await caughtUp()).toBe(true)
    expect(table.writes).toHaveLength(1)
    expect(context.metrics.total('coinpipe_retries_total', {component: 'store'})).toBe(3)
  })

  it('ends with the error of a sink that is broken for good, and commits nothing', async () => {
    const bus = await openBus(MemoryBus)
    const sink = new MemorySink()
    const broken = new RangeError('a bug in the sink')
    sink.write = () => Promise.reject(broken)
    const {ended} = await run(bus, sink)
    await bus.publish(trades('1'))
    await expect(ended).rejects.toBe(broken)
    expect((await bus.lag(GROUP)).every(({committed}) => committed === null)).toBe(true)
  })

  it('ends with the error of a log on which nothing can be committed any more, also while no more records come', async () => {
    const bus = await openBus(MemoryBus)
    const corrupt = new CorruptLogError('the log is damaged')
    const subscribe = bus.subscribe.bind(bus)
    bus.subscribe = (options, signal) => {
      const inner = subscribe(options, signal)
      const deliveries = async function* () {
        for await (const {items} of inner) yield {items, ack: () => Promise.reject(corrupt)}
      }
      const outer: Subscription = {assignment: () => inner.assignment(), close: () => inner.close(), [Symbol.asyncIterator]: deliveries}
      return outer as typeof inner
    }
    const table = new MemoryTable()
    const {ended} = await run(bus, new MemorySink(table))
    await bus.publish(trades('1'))
    await expect(ended).rejects.toBe(corrupt)
    expect(ids(table)).toEqual(['1'])
  })

  it('knows the next position of each partition', () => {
    const message = {topic: TOPIC, key: null, value: null, headers: {}, timestampMs: 0}
    const at = (partition: number, offset: number) => ({...message, partition, offset})
    expect(nextPositions([at(0, 5), at(1, 9), at(0, 6)])).toEqual([
      {topic: TOPIC, partition: 0, offset: 7},
      {topic: TOPIC, partition: 1, offset: 10},
    ])
  })
})

describe('where a sink starts', () => {
  async function runOnce(bus: MemoryBus, table: MemoryTable, keepsPositions = true): Promise<void> {
    const {caughtUp, end} = await run(bus, new MemorySink(table, {keepsPositions}))
    expect(await caughtUp()).toBe(true)
    await end()
  }

  it('fills a new store from the beginning of the log, though the group has committed all of it', async () => {
    const bus = await openBus(MemoryBus)
    await bus.publish(trades('1', '2'))
    await runOnce(bus, new MemoryTable())
    const table = new MemoryTable()
    await runOnce(bus, table)
    expect(ids(table)).toEqual(['1', '2'])
  })

  it('goes on from the commits of a sink that keeps no positions', async () => {
    const bus = await openBus(MemoryBus)
    await bus.publish(trades('1', '2'))
    const table = new MemoryTable()
    await runOnce(bus, table, false)
    await bus.publish(trades('3'))
    await runOnce(bus, table, false)
    expect(table.writes).toHaveLength(3)
  })

  it('reads nothing twice after an ordinary stop', async () => {
    const bus = await openBus(MemoryBus)
    await bus.publish(trades('1', '2'))
    const table = new MemoryTable()
    await runOnce(bus, table)
    await bus.publish(trades('3'))
    await runOnce(bus, table)
    expect(table.writes).toHaveLength(3)
  })

  it.each([
    ['shorter than', 1],
    ['longer than', 5],
  ])('skips nothing of a new log that is %s the one before', async (_name, length) => {
    const table = new MemoryTable()
    const first = await openBus(MemoryBus)
    await first.publish(trades('1', '2', '3'))
    await runOnce(first, table)

    const second = await openBus(MemoryBus)
    const names = Array.from({length}, (_, index) => `new${index}`)
    await second.publish(trades(...names))
    await runOnce(second, table)
    expect(ids(table)).toEqual(['1', '2', '3', ...names])
    // The store's position is still that of the first log where the second is shorter.
    await second.publish(trades('a', 'b', 'c', 'd'))
    await runOnce(second, table)
    expect(ids(table).slice(-4)).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('caught up', () => {
  it('waits for the commits and for the positions, and gives up at the deadline', async () => {
    const bus = await openBus(MemoryBus)
    const {clock} = testContext()
    await bus.publish(trades('1'))
    await bus.resetGroup(GROUP, [{topic: TOPIC, partition: 0, offset: 0}])
    const sink = new MemorySink()
    await sink.connect()
    const ask = () => sinkCaughtUp({admin: bus, sink, group: GROUP, topics: [TOPIC]}, AbortSignal.timeout(50), clock)
    expect(await groupCaughtUp(bus, GROUP, AbortSignal.timeout(50), clock)).toBe(false)
    await bus.resetGroup(GROUP, [{topic: TOPIC, partition: 0, offset: 1}])
    expect(await groupCaughtUp(bus, GROUP, AbortSignal.timeout(50), clock)).toBe(true)
    expect(await ask()).toBe(false)
    await sink.write({group: GROUP, items: [], next: [{topic: TOPIC, partition: 0, offset: 1}]})
    expect(await ask()).toBe(true)
  })
})
