import {createAPI, produceV9, produceV10, produceV11, Writer} from '@platformatic/kafka'
import {UnsupportedError} from '../../core/errors.ts'
import type {Api, KafkaClient} from '../kafka/client.ts'

/** Records for one partition, encoded. */
export interface ProducePartition {
  readonly topic: string
  readonly partition: number
  readonly batch: Buffer
}

export interface ProduceRequest {
  readonly transactionalId: string | null
  /** -1: all in sync; 0: the broker does not answer. */
  readonly acks: number
  /** How long the broker waits for the copies. */
  readonly timeoutMs: number
  /** Asked when the request is written, and used at once: so the batches may live in a buffer that is used again. */
  readonly partitions: () => readonly ProducePartition[]
}

export interface ProduceAnswer {
  readonly responses: readonly {readonly name: string; readonly partitionResponses: readonly ProducePartitionAnswer[]}[]
}

export interface ProducePartitionAnswer {
  readonly index: number
  readonly errorCode: number
  readonly errorMessage?: string | null
  readonly baseOffset: bigint
}

const PRODUCE_KEY = 0
/** The same request, answers that differ. Older ones came before Kafka 2.8, newer ones name topics by id. */
const PARSERS = new Map([
  [9, produceV9.parseResponse],
  [10, produceV10.parseResponse],
  [11, produceV11.parseResponse],
])

/** The library's Produce, with records that are encoded already. */
export async function produceApi(client: KafkaClient): Promise<Api> {
  const {version} = await client.api('Produce')
  const parse = PARSERS.get(version)
  if (parse === undefined) {
    throw new UnsupportedError(`these brokers take version ${version} of Produce at the most, which is too old`, {
      remedy: ['use Kafka 3.0 or newer'],
    })
  }
  return createAPI(PRODUCE_KEY, version, createProduceRequest, parse) as unknown as Api
}

/** https://kafka.apache.org/protocol#The_Messages_Produce, versions 9 to 11. */
export function createProduceRequest({transactionalId, acks, timeoutMs, partitions}: ProduceRequest): Writer {
  const byTopic = Map.groupBy(partitions(), ({topic}) => topic)
  const writer = Writer.create()
    .appendString(transactionalId)
    .appendInt16(acks)
    .appendInt32(timeoutMs)
    .appendArray([...byTopic], (topicWriter, [topic, batches]) => {
      topicWriter.appendString(topic).appendArray(batches, (partitionWriter, {partition, batch}) => {
        partitionWriter.appendInt32(partition).appendBytes(batch)
      })
    })
    .appendTaggedFields()
  if (acks === 0) writer.context.noResponse = true
  return writer
}
