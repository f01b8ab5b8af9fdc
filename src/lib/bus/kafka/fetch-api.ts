import {createAPI, fetchV12, fetchV13, fetchV15, fetchV17, Reader} from '@platformatic/kafka'
import {UnsupportedError} from '../../core/errors.ts'
import type {Api, KafkaClient} from './client.ts'

export interface FetchPartitionAnswer {
  /** Name up to version 12, id from 13 on: what the request said. */
  readonly topicId: string
  readonly partition: number
  readonly errorCode: number
  readonly aborted: readonly AbortedTransaction[]
  /** Record batches, as they are on the brokers' disks. */
  readonly records: Buffer
}

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

export interface FetchAnswer {
  readonly errorCode: number
  readonly partitions: readonly FetchPartitionAnswer[]
}

export interface FetchApi {
  readonly send: Api
  /** Whether topics go by their id, or by their name. */
  readonly byId: boolean
}

const FETCH_KEY = 1
const NO_BYTES = Buffer.alloc(0)
/** Versions that lie between these ask and answer like the one before. Older ones came before Kafka 2.7. */
const REQUESTS = [fetchV17, fetchV15, fetchV13, fetchV12]
const VERSIONS = [17, 15, 13, 12]

/** The library's Fetch, but for the answer: it leaves the records as bytes, to be decoded when and as far as somebody reads them. */
export async function fetchApi(client: KafkaClient): Promise<FetchApi> {
  const {version} = await client.api('Fetch')
  const request = REQUESTS[VERSIONS.findIndex((known) => known <= version)]
  if (request === undefined) {
    throw new UnsupportedError(`these brokers take version ${version} of Fetch at the most, which is too old`, {
      remedy: ['use Kafka 3.0 or newer'],
    })
  }
  const byId = version >= 13
  const parse = (_correlationId: number, _apiKey: number, _apiVersion: number, reader: Reader) => parseFetchAnswer(reader, byId)
  return {send: createAPI(FETCH_KEY, version, request.createRequest, parse) as unknown as Api, byId}
}

/** https://kafka.apache.org/protocol#The_Messages_Fetch, versions 12 to 17. */
export function parseFetchAnswer(answer: Reader, byId: boolean): FetchAnswer {
  // In one piece: what follows slices it.
  const bytes = answer.buffer.slice(answer.position)
  const reader = Reader.from(bytes)
  reader.readInt32()
  const errorCode = reader.readInt16()
  reader.readInt32()
  const partitions = reader.readArray((topicReader) => {
    const topicId = byId ? topicReader.readUUID() : topicReader.readString()
    return topicReader.readArray(() => parsePartition(topicReader, bytes, topicId))
  })
  return {errorCode, partitions: partitions.flat()}
}

function parsePartition(reader: Reader, bytes: Buffer, topicId: string): FetchPartitionAnswer {
  const partition = reader.readInt32()
  const errorCode = reader.readInt16()
  // High watermark, last stable offset, log start offset.
  reader.skip(24)
  const aborted = reader.readNullableArray((entry) => ({producerId: entry.readInt64(), firstOffset: Number(entry.readInt64())}))
  // Preferred replica: only for clients that name their rack.
  reader.skip(4)
  const length = Math.max(0, reader.readUnsignedVarInt() - 1)
  const records = length === 0 ? NO_BYTES : bytes.subarray(reader.position, reader.position + length)
  reader.skip(length)
  return {topicId, partition, errorCode, aborted: aborted ?? [], records}
}
