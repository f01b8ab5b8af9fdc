import {join} from 'node:path'
import {describe, expect, it, onTestFinished} from 'vitest'
import type {OutgoingRecord} from '../../../src/lib/core/ports/bus.ts'
import {Publisher} from '../../../src/lib/pipeline/publisher.ts'
import {Spill} from '../../../src/lib/store/spill/spill.ts'
import {testContext} from '../../helpers/context.ts'
import {MoodyBus} from '../../helpers/moody-bus.ts'
import {tempDir} from '../../helpers/temp-dir.ts'
import {until} from '../../helpers/until.ts'

const TOPIC = 'test.topic'

async function setUp(options: {directory?: string; maxBytes?: number; patienceMs?: number; bus?: MoodyBus} = {}) {
  const context = testContext()
  const bus = options.bus ?? new MoodyBus({topics: {[TOPIC]: {partitions: 1, retentionMs: null, retentionBytes: null}}}, context)
  await bus.connect()
  await bus.ensureTopic(TOPIC, {partitions: 1, retentionMs: null, retentionBytes: null})
  const directory = options.directory ?? join(await tempDir(), 'spill')
  const spill = await Spill.open({directory, maxBytes: options.maxBytes ?? 1e9}, context)
  const refused: OutgoingRecord[] = []
  const onRefused = async (record: OutgoingRecord) => void refused.push(record)
  const spilling: boolean[] = []
  const onSpilling = (now: boolean) => void spilling.push(now)
  const publisher = new Publisher({bus, spill, component: 'test', patienceMs: options.patienceMs ?? 10_000, onRefused, onSpilling}, context)
  onTestFinished(() => publisher.close())
  return {bus, spill, publisher, refused, spilling, context, directory}
}

function batch(...names: string[]): OutgoingRecord[] {
  return names.map((name) => ({topic: TOPIC, key: name, value: name}))
}

async function published(bus: MoodyBus): Promise<unknown[]> {
  return (await bus.read({topic: TOPIC, partition: 0, offset: 0}, 1_000_000)).map(({value}) => value)
}

const NEVER = new AbortController().signal

describe('publisher', () => {
  it('publishes without touching the disk while the bus is well', async () => {
    const {bus, publisher, context} = await setUp()
    await Promise.all([publisher.send(batch('a', 'b')), publisher.send(batch('c'))])
    expect(await published(bus)).toEqual(['a', 'b', 'c'])
    expect(context.metrics.total('coinpipe_spill_records_total')).toBe(0)
    expect(await publisher.drained(NEVER)).toBe(true)
  })

  it('keeps records on disk while the bus is down and publishes all in order when it is back', async () => {
    const {bus, publisher, spill} = await setUp()
    bus.mood = 'down'
    const names = Array.from({length: 50}, (_, index) => String(index))
    await Promise.all(names.map((name) => publisher.send(batch(name))))
    expect(spill.isEmpty).toBe(false)
    expect(await published(bus)).toEqual([])
    bus.mood = 'well'
    expect(await publisher.drained(NEVER)).toBe(true)
    expect(await published(bus)).toEqual(names)
    await publisher.send(batch('after'))
    expect((await published(bus)).at(-1)).toBe('after')
    expect(spill.isEmpty).toBe(true)
  })

  it('turns to the disk when the bus is stuck, and publishes nothing twice when it answers after all', async () => {
    const {bus, publisher} = await setUp({patienceMs: 20})
    bus.mood = 'stuck'
    await Promise.all([publisher.send(batch('a')), publisher.send(batch('b'))])
    await publisher.send(batch('c'))
    expect(await published(bus)).toEqual([])
    bus.mood = 'well'
    await publisher.drained(NEVER)
    expect(await published(bus)).toEqual(['a', 'b', 'c'])
  })

  it('has everything on disk, in order, when it is closed while the bus is stuck', async () => {
    const {bus, publisher, directory} = await setUp()
    bus.mood = 'stuck'
    const sends = [publisher.send(batch('a')), publisher.send(batch('b'))]
    const closing = publisher.close()
    await Promise.all(sends)
    bus.mood = 'down'
    await closing

    bus.mood = 'well'
    const second = await setUp({directory, bus})
    second.publisher.resume()
    expect(await second.publisher.drained(NEVER)).toBe(true)
    expect(await published(bus)).toEqual(['a', 'b'])
  })

  it('slows the sender down when the disk is full too, and goes on when there is room', async () => {
    const {bus, publisher} = await setUp({maxBytes: 300})
    bus.mood = 'down'
    const sends = Array.from({length: 20}, (_, index) => publisher.send(batch(`${index}`.padEnd(50, '.'))))
    let finished = 0
    for (const send of sends) void send.then(() => (finished += 1))
    await until('some to be on disk', () => finished > 0)
    expect(finished).toBeLessThan(20)
    bus.mood = 'well'
    await Promise.all(sends)
    await publisher.drained(NEVER)
    expect(await published(bus)).toHaveLength(20)
  })

  it('sets aside only the records that the bus refuses', async () => {
    const {bus, publisher, refused} = await setUp()
    const records = batch('a', 'b', 'c', 'd', 'e').map((record) => (record.value === 'c' ? {...record, partition: 7} : record))
    await publisher.send(records)
    expect(await published(bus)).toEqual(['a', 'b', 'd', 'e'])
    expect(refused.map(({value}) => value)).toEqual(['c'])
  })

  it('tells when it begins to spill and when all has gone to the bus', async () => {
    const {bus, publisher, spilling} = await setUp()
    await publisher.send(batch('a'))
    expect(spilling).toEqual([])
    bus.mood = 'down'
    await publisher.send(batch('b'))
    await publisher.send(batch('c'))
    expect(spilling).toEqual([true])
    bus.mood = 'well'
    await publisher.drained(NEVER)
    await until('it to tell', () => spilling.length === 2)
    expect(spilling).toEqual([true, false])
  })

  it('stops waiting to be drained when it is told to', async () => {
    const {bus, publisher} = await setUp()
    bus.mood = 'down'
    await publisher.send(batch('a'))
    expect(await publisher.drained(AbortSignal.timeout(20))).toBe(false)
  })
})
