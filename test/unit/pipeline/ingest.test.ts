import {join} from 'node:path'
import {describe, expect, it, onTestFinished} from 'vitest'
import {decodeRecord} from '../../../src/lib/core/codec.ts'
import type {Delivery} from '../../../src/lib/core/ports/component.ts'
import type {Source, SourceItem} from '../../../src/lib/core/ports/source.ts'
import {runIngest} from '../../../src/lib/pipeline/ingest.ts'
import {Publisher} from '../../../src/lib/pipeline/publisher.ts'
import {Spill} from '../../../src/lib/store/spill/spill.ts'
import {testContext} from '../../helpers/context.ts'
import {trade} from '../../helpers/market-records.ts'
import {MoodyBus} from '../../helpers/moody-bus.ts'
import {tempDir} from '../../helpers/temp-dir.ts'
import {until} from '../../helpers/until.ts'

const TOPIC = 'market.trade'
const NEVER = new AbortController().signal

/** A source that delivers the given batches, one after the other, until it is told to stop. */
class ListSource implements Source {
  readonly #batches: readonly (readonly SourceItem[])[]
  readonly acks: (Error | undefined)[] = []
  taken = 0

  constructor(batches: readonly (readonly SourceItem[])[]) {
    this.#batches = batches
  }

  async connect(): Promise<void> {}
  async check(): Promise<void> {}
  async close(): Promise<void> {}

  async *deliveries(signal: AbortSignal): AsyncGenerator<Delivery<SourceItem>> {
    for (const items of this.#batches) {
      if (signal.aborted) return
      this.taken += 1
      yield {items, ack: async (error) => void this.acks.push(error)}
    }
  }
}

const record = (id: string): SourceItem => ({kind: 'record', record: trade(id)})

async function setUp(batches: readonly (readonly SourceItem[])[]) {
  const context = testContext()
  const bus = new MoodyBus({topics: {[TOPIC]: {partitions: 6, retentionMs: null, retentionBytes: null}}}, context)
  await bus.connect()
  const spill = await Spill.open({directory: join(await tempDir(), 'spill'), maxBytes: 1e9}, context)
  const publisher = new Publisher({bus, spill, component: 'upbit', patienceMs: 60_000, onRefused: async () => undefined}, context)
  onTestFinished(() => publisher.close())
  const source = new ListSource(batches)
  const run = (signal = NEVER, partitionOf: () => number | undefined = () => undefined) =>
    runIngest({source, publisher, exchange: 'upbit', component: 'upbit', partitionOf}, signal, context)
  return {context, bus, publisher, source, run}
}

async function idsOn(bus: MoodyBus, partition: number): Promise<(string | undefined)[]> {
  const messages = await bus.read({topic: TOPIC, partition, offset: 0}, 10_000)
  return messages.map(({value}) => decodeRecord(value ?? '').id.split(':')[3])
}

describe('runIngest', () => {
  it('publishes in order, to the partition that the config pins, and acks what is safe', async () => {
    const {bus, source, run, context} = await setUp([[record('1'), record('2')], [record('3')]])
    await run(NEVER, () => 4)
    expect(await idsOn(bus, 4)).toEqual(['1', '2', '3'])
    expect(source.acks).toEqual([undefined, undefined])
    expect(context.metrics.total('coinpipe_component_received_total', {component: 'upbit'})).toBe(3)
  })

  it('sets a frame aside that is no record, and goes on', async () => {
    const rejected = {frame: '{', code: 'COINPIPE_FRAME_MALFORMED', message: 'no JSON', receivedTime: 5}
    const {bus, run, context} = await setUp([[record('1'), {kind: 'rejected', rejected}, record('2')]])
    await run(NEVER, () => 0)
    expect(await idsOn(bus, 0)).toEqual(['1', '2'])
    const [letter] = await bus.read({topic: 'ingest.upbit.dlq', partition: 0, offset: 0}, 10)
    expect(letter).toMatchObject({value: '{', headers: {'error-code': 'COINPIPE_FRAME_MALFORMED', 'frame-bytes': '1'}})
    expect(context.metrics.total('coinpipe_dead_letters_total', {component: 'upbit', code: 'COINPIPE_FRAME_MALFORMED'})).toBe(1)
  })

  it('acks nothing that is neither on the bus nor on disk, and takes no more than a bounded number', async () => {
    const {bus, source, run} = await setUp(Array.from({length: 1000}, (_, id) => [record(String(id))]))
    bus.mood = 'stuck'
    const running = run()
    await until('the source to wait', () => source.taken === 256)
    expect(source.acks).toEqual([])
    bus.mood = 'well'
    await running
    expect(source.acks).toHaveLength(1000)
  })

  it('publishes what it has taken when it is stopped', async () => {
    const stop = new AbortController()
    const {bus, source, run} = await setUp([[record('1')], [record('2')]])
    bus.mood = 'stuck'
    const running = run(stop.signal, () => 0)
    stop.abort()
    bus.mood = 'well'
    await running
    expect(await idsOn(bus, 0)).toHaveLength(source.taken)
    expect(source.acks).toHaveLength(source.taken)
  })

  it('ends with the error where publishing can never work, and tells the source', async () => {
    const {bus, source, run} = await setUp([[record('1'), record('2')], [record('3')]])
    const bug = new RangeError('a bug')
    bus.publish = () => Promise.reject(bug)
    await expect(run()).rejects.toBe(bug)
    expect(source.acks[0]).toBe(bug)
  })
})
