import {describe, it, onTestFinished} from 'vitest'
import {KafkaClient} from '../../src/lib/bus/kafka/client.ts'
import {untilDone} from '../../src/lib/bus/kafka/retry.ts'
import {systemClock} from '../../src/lib/core/clock.ts'
import {encodeRecord} from '../../src/lib/core/codec.ts'
import {TOPICS} from '../../src/lib/core/topics.ts'
import {runCandles} from '../../src/lib/pipeline/candles.ts'
import {MemoryCheckpoints} from '../../src/lib/store/checkpoints/memory-checkpoints.ts'
import {PATIENCE_MS, unique} from '../contract/bus-world.ts'
import {testContext} from '../helpers/context.ts'
import {kafkaOptions} from '../helpers/kafka.ts'
import {connectedBus} from '../helpers/kafka-bus.ts'
import {T0, trade} from '../helpers/market-records.ts'
import {until} from '../helpers/until.ts'

/** Far above what a new start takes, far below the transaction's timeout. */
const MOVES_ON_MS = 20_000
const TRANSACTION_TIMEOUT_MS = 120_000

/** What a builder leaves that is killed between the commit of its offsets and the end of its transaction. */
async function leaveOpen(id: string, group: string): Promise<void> {
  const client = new KafkaClient(kafkaOptions())
  await client.connect()
  const patient = {clock: systemClock, deadlineMs: PATIENCE_MS}
  const call = (target: Parameters<KafkaClient['call']>[0], api: string, args: readonly unknown[]) =>
    untilDone(() => client.call<{producerId: bigint; producerEpoch: number}>(target, api, args), patient)
  const {producerId, producerEpoch} = await call({transaction: id}, 'InitProducerId', [id, TRANSACTION_TIMEOUT_MS, -1n, -1])
  await call({transaction: id}, 'AddOffsetsToTxn', [id, producerId, producerEpoch, group])
  const partition = {partitionIndex: 0, committedOffset: 0n, committedLeaderEpoch: -1, committedMetadata: null}
  await call({group}, 'TxnOffsetCommit', [
    id,
    group,
    producerId,
    producerEpoch,
    -1,
    '',
    null,
    [{name: TOPICS.trade, partitions: [partition]}],
  ])
  await client.close()
}

describe('candles', () => {
  it('are built on at once after a builder was killed with its offsets in an open transaction', async () => {
    const [bus, group, instance] = [await connectedBus(), unique('candles'), 'builder']
    for (const topic of [TOPICS.trade, TOPICS.candle]) {
      await bus.ensureTopic(topic, {partitions: 1, retentionMs: null, retentionBytes: null, replicas: 1})
      onTestFinished(() => bus.deleteTopic(topic))
    }
    await bus.publish([{topic: TOPICS.trade, partition: 0, key: null, value: encodeRecord(trade('1', {eventTime: T0}))}])
    await leaveOpen(`${group}.${instance}`, group)
    const [context, checkpoints] = [testContext(), new MemoryCheckpoints()]
    await checkpoints.connect()
    const running = runCandles(
      {bus, admin: bus, checkpoints, group, instance, intervals: ['1m'], partitionOf: () => 0},
      context.signal,
      context,
    )
    const candles = async () => await bus.read({topic: TOPICS.candle, partition: 0, offset: 0}, 10)
    await until('a candle', async () => (await candles()).length > 0, MOVES_ON_MS).finally(async () => {
      context.abort()
      await running
    })
  })
})
