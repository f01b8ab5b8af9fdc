import {describe, expect, it, onTestFinished} from 'vitest'
import {MemoryBus} from '../../../src/lib/bus/memory/memory-bus.ts'
import {encodeRecord} from '../../../src/lib/core/codec.ts'
import {runSink} from '../../../src/lib/pipeline/sink.ts'
import {testContext} from '../../helpers/context.ts'
import {trade} from '../../helpers/market-records.ts'
import {MemorySink, MemoryTable} from '../../helpers/memory-sink.ts'
import {until} from '../../helpers/until.ts'

const TOPIC = 'market.trade'
const GROUP = 'sink.cassandra'
const PARTITIONS = 4

/** Takes several batches at once. */
class WideSink extends MemorySink {
  readonly concurrentWrites = 4
}

async function scene() {
  const context = testContext()
  const topic = {partitions: PARTITIONS, retentionMs: null, retentionBytes: null}
  const bus = new MemoryBus({topics: {[TOPIC]: topic}}, context)
  await bus.connect()
  await bus.ensureTopic(TOPIC, topic)
  const table = new MemoryTable()
  const join = async () => {
    const sink = new WideSink(table, {keepsPositions: false})
    await sink.connect()
    const stop = new AbortController()
    const ended = runSink({bus, admin: bus, sink, group: GROUP, topics: [TOPIC], component: 'cassandra'}, stop.signal, context)
    const leave = async () => {
      stop.abort()
      await ended
    }
    onTestFinished(leave)
    return {leave}
  }
  let next = 0
  const publish = (count: number) => {
    const ids = Array.from({length: count}, () => next++)
    return bus.publish(ids.map((id) => ({topic: TOPIC, partition: id % PARTITIONS, key: null, value: encodeRecord(trade(String(id)))})))
  }
  const shares = async () => (await bus.describeGroup(GROUP)).members.map(({partitions}) => partitions.length).sort()
  const committed = async () => (await bus.lag(GROUP)).reduce((sum, {lag}) => sum + lag, 0) === 0
  return {join, publish, shares, committed, table}
}

describe('sinks in one group', () => {
  it('share the partitions, and take them over from one that ends, with nothing lost and nothing written twice', async () => {
    const {join, publish, shares, committed, table} = await scene()
    const first = await join()
    await publish(100)
    await until('one has all partitions', async () => (await shares()).join() === '4')
    await join()
    await publish(100)
    await until('two have two each', async () => (await shares()).join() === '2,2')
    await publish(100)
    await first.leave()
    await publish(100)
    await until('the other has all partitions', async () => (await shares()).join() === '4')
    await until('all is written and committed', async () => table.rows.size === 400 && (await committed()))
    expect(table.writes).toHaveLength(400)
  })
})
