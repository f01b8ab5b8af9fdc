import {describe, expect, it, onTestFinished} from 'vitest'
import {MemoryBus} from '../../../src/lib/bus/memory/memory-bus.ts'
import {encodeRecord} from '../../../src/lib/core/codec.ts'
import {NotConnectedError, UnsupportedError} from '../../../src/lib/core/errors.ts'
import {createHealth} from '../../../src/lib/observability/health.ts'
import {runSink} from '../../../src/lib/pipeline/sink.ts'
import {testContext} from '../../helpers/context.ts'
import {GatedSink} from '../../helpers/gated-sink.ts'
import {trade} from '../../helpers/market-records.ts'
import {MemoryTable} from '../../helpers/memory-sink.ts'
import {until} from '../../helpers/until.ts'

const TOPIC = 'market.trade'
const GROUP = 'g'
const WIDTH = 3

async function scene(width = WIDTH) {
  const context = testContext()
  const topic = {partitions: 1, retentionMs: null, retentionBytes: null}
  const bus = new MemoryBus({topics: {[TOPIC]: topic}}, context)
  await bus.connect()
  await bus.ensureTopic(TOPIC, topic)
  const table = new MemoryTable()
  const sink = new GatedSink(table, width)
  await sink.connect()
  const health = createHealth(context.clock)
  const stop = new AbortController()
  const ended = runSink({bus, admin: bus, sink, group: GROUP, topics: [TOPIC], component: 'cassandra', health}, stop.signal, context)
  ended.catch(() => undefined)
  onTestFinished(async () => {
    stop.abort()
    const finishing = setInterval(() => sink.writes[0]?.finish(), 5)
    await ended.catch(() => undefined).finally(() => clearInterval(finishing))
  })
  /** One delivery each: the next one is published once the one before is being written. */
  const deliver = async (...ids: string[]) => {
    for (const id of ids) {
      const before = sink.writes.length
      await bus.publish([{topic: TOPIC, key: 'k', value: encodeRecord(trade(id))}])
      await until(`${id} is being written`, () => sink.writes.length > before)
    }
  }
  const committed = async () => (await bus.lag(GROUP))[0]?.committed ?? null
  return {bus, context, committed, deliver, ended, health, sink, stop, table}
}

const ids = ({table}: {table: MemoryTable}) => [...table.rows.values()].map(({id}) => id.split(':')[3])

describe('a sink that takes several batches at once', () => {
  it('gets as many as it takes, and the next only when one of them is written', async () => {
    const {bus, deliver, sink} = await scene()
    await deliver('1', '2', '3')
    await bus.publish([{topic: TOPIC, key: 'k', value: encodeRecord(trade('4'))}])
    await new Promise(setImmediate)
    expect([sink.writes.length, sink.most]).toEqual([WIDTH, WIDTH])
    sink.writes[1]?.finish()
    await until('the fourth is being written', () => sink.writes.some(({batch}) => batch.items[0]?.message.offset === 3))
    expect(sink.most).toBe(WIDTH)
  })

  it('commits in the order of the bus, whatever is written first', async () => {
    const run = await scene()
    await run.deliver('1', '2', '3')
    run.sink.writes[2]?.finish()
    run.sink.writes[1]?.finish()
    await until('two are written', () => run.table.writes.length === 2)
    expect(ids(run)).toEqual(['3', '2'])
    expect(await run.committed()).toBe(null)
    run.sink.writes[0]?.finish()
    await until('all are committed', async () => (await run.committed()) === 3)
  })

  it('writes and commits on a stop all that it had been given', async () => {
    const run = await scene()
    await run.deliver('1', '2')
    run.stop.abort()
    run.sink.writes[1]?.finish()
    run.sink.writes[0]?.finish()
    await run.ended
    expect([ids(run), await run.committed()]).toEqual([['2', '1'], 2])
  })

  it('stops at the first batch that can never be written, and commits nothing behind it', async () => {
    const run = await scene()
    await run.deliver('1', '2', '3')
    const broken = new RangeError('a bug in the sink')
    run.sink.writes[1]?.fail(broken)
    run.sink.writes.at(-1)?.finish()
    run.sink.writes[0]?.finish()
    await expect(run.ended).rejects.toBe(broken)
    expect([ids(run), await run.committed()]).toEqual([expect.arrayContaining(['1', '3']), 1])
  })

  it('stops then though others are tried again and again', async () => {
    const run = await scene()
    await run.deliver('1', '2')
    const [first, second] = run.sink.writes
    first?.fail(new NotConnectedError('the store went away'))
    await until('the first is tried again', () => run.sink.writes.length === 2 && run.sink.writes[0] === second)
    second?.fail(new UnsupportedError('never'))
    const refusing = setInterval(() => run.sink.writes[0]?.fail(new NotConnectedError('still away')), 5)
    onTestFinished(() => clearInterval(refusing))
    await expect(run.ended).rejects.toBeInstanceOf(UnsupportedError)
    expect(await run.committed()).toBe(null)
  })

  it('says that the store is away while writes only hang, and asks it no more once they are done', async () => {
    const run = await scene()
    const isUp = () => run.context.metrics.total('coinpipe_sink_up', {component: 'cassandra'})
    await run.deliver('1')
    await run.sink.close()
    await until('the store is known to be away', () => isUp() === 0)
    expect(run.health.report()).toMatchObject({components: {cassandra: {state: 'down', message: 'the sink in memory is not open'}}})
    await run.sink.connect()
    run.sink.writes[0]?.finish()
    await until('it is known to be back', () => isUp() === 1)
    expect(await run.committed()).toBe(1)
  })

  it('says once that the store is away and once that it is back, in health and metrics too', async () => {
    const run = await scene()
    const lines: string[] = []
    const {logger} = run.context
    logger.warn = (_fields: object, message: string) => lines.push(`warn ${message}`)
    logger.info = (_fields: object, message: string) => lines.push(`info ${message}`)
    const isUp = () => run.context.metrics.total('coinpipe_sink_up', {component: 'cassandra'})
    await run.deliver('1', '2')
    expect([isUp(), run.health.report().state]).toEqual([1, 'up'])
    const away = () => new NotConnectedError('away', {retry: {kind: 'later', afterMs: 1}})
    const first = [...run.sink.writes]
    for (const {fail} of first) fail(away())
    await until('both are tried again', () => run.sink.writes.length === 2 && !run.sink.writes.some((write) => first.includes(write)))
    expect([isUp(), run.health.report()]).toMatchObject([0, {components: {cassandra: {state: 'down', message: 'away'}}}])
    run.sink.writes[0]?.finish()
    await until('one is written', () => run.table.writes.length === 1)
    expect(isUp()).toBe(0)
    run.sink.writes[0]?.finish()
    await until('all are committed', async () => (await run.committed()) === 2)
    expect([isUp(), run.health.report().state]).toEqual([1, 'up'])
    expect(lines).toEqual(['warn cannot write; trying until it can', 'info writes again'])
    expect(run.context.metrics.total('coinpipe_retries_total', {component: 'cassandra'})).toBe(2)
  })
})
