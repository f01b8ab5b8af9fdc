import {describe, expect, it} from 'vitest'
import {MemoryBus} from '../../../src/lib/bus/memory/memory-bus.ts'
import type {BusMessage, Position} from '../../../src/lib/core/ports/bus.ts'
import {createLogger} from '../../../src/lib/observability/logger.ts'
import {sinkStart} from '../../../src/lib/pipeline/start-positions.ts'
import {testContext} from '../../helpers/context.ts'
import {MemorySink, MemoryTable} from '../../helpers/memory-sink.ts'

const PARTITION = {topic: 'market.candle', partition: 0}
const GROUP = 'g'
const KEEP = {partitions: 1, retentionMs: null, retentionBytes: null}

/** The offset 2 holds no record, as after a transaction on Kafka. */
class MarkedBus extends MemoryBus {
  override async read(position: Position, maxRecords: number): Promise<readonly BusMessage[]> {
    return (await super.read(position, 10)).filter(({offset}) => offset !== 2).slice(0, maxRecords)
  }
}

/** Of five offsets the group has committed `committed`, the sink has its rows up to `position`; null where there is none. */
async function start(position: number | null, committed: number | null) {
  const bus = new MarkedBus({topics: {[PARTITION.topic]: KEEP}}, testContext())
  await bus.connect()
  await bus.ensureTopic(PARTITION.topic, KEEP)
  await bus.publish(Array.from({length: 5}, (_, at) => ({...PARTITION, key: null, value: `${at}`})))
  if (committed !== null) await bus.resetGroup(GROUP, [{...PARTITION, offset: committed}])
  const table = new MemoryTable()
  const sink = new MemorySink(table)
  await sink.connect()
  if (position !== null) await sink.write({group: GROUP, items: [], next: [{...PARTITION, offset: position}]})
  const levels: string[] = []
  const stream = {write: (line: string) => levels.push(JSON.parse(line).level) > 0}
  const context = {...testContext(), logger: createLogger({level: 'debug', format: 'json', stream})}
  const [from] = await sinkStart({admin: bus, sink, group: GROUP}, [PARTITION], context)
  return {from: from?.offset, levels}
}

describe('sinkStart', () => {
  it.each([
    ['nothing where they agree', 3, 3, 3, []],
    ['no more than debug where only the end of a transaction lies between', 2, 3, 2, ['debug']],
    ['no more than debug where a crash came before the commit', 4, 3, 3, ['debug']],
    ['a warning where the sink lacks records', 1, 3, 1, ['warn']],
    ['a warning where the store is new and the group is not', null, 3, 0, ['warn']],
    ['no more than debug where the group is new', 4, null, 0, ['debug']],
  ])('says %s', async (_, position, committed, from, levels) => {
    expect(await start(position, committed)).toEqual({from, levels})
  })
})
