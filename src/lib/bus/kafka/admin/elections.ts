import {createAPI, type Reader, ResponseError, Writer} from '@platformatic/kafka'
import type {LeaderElection, TopicPartition} from '../../../core/ports/bus.ts'
import {byTopic} from '../by-topic.ts'
import type {Api} from '../client.ts'
import {protocolErrorName} from '../errors.ts'
import {inOrder} from './offsets.ts'
import type {Requests} from './requests.ts'

const API_KEY = 43
const VERSION = 2
const PREFERRED = 0
const NOT_NEEDED = 'ELECTION_NOT_NEEDED'

interface ElectionResult {
  readonly partition: number
  readonly errorCode: number
  readonly errorMessage: string | null
}

interface ElectLeadersResponse {
  readonly topics: readonly {readonly name: string; readonly partitions: readonly ElectionResult[]}[]
}

/** https://kafka.apache.org/protocol#The_Messages_ElectLeaders in the version that all brokers since 2.4 know; the client library has none of it. */
const electLeadersV2 = createAPI<unknown[], ElectLeadersResponse>(API_KEY, VERSION, createRequest, parseResponse) as unknown as Api

/** Default: of all topics. Answers for the partitions that were led by another than the preferred one, sorted. */
export async function electLeaders(requests: Requests, topics?: readonly string[]): Promise<LeaderElection[]> {
  const {topics: views} = await requests.cluster(topics ?? null)
  const partitions = views.flatMap((view) => view.partitions)
  if (partitions.length === 0) return []
  const args = [byTopic(partitions, ({partition}) => partition), requests.brokerTimeoutMs]
  const answer = await requests.call<ElectLeadersResponse>('controller', electLeadersV2, args, {what: 'elect the preferred leaders'})
  return answer.topics
    .flatMap(({name, partitions: results}) => results.map((result) => outcome({topic: name, partition: result.partition}, result)))
    .filter((election) => election !== null)
    .sort(inOrder)
}

/** Null where the preferred one led before. */
function outcome(of: TopicPartition, {errorCode, errorMessage}: ElectionResult): LeaderElection | null {
  const error = errorCode === 0 ? null : protocolErrorName(errorCode)
  if (error === NOT_NEEDED) return null
  return {...of, error: error === null || !errorMessage ? error : `${error}: ${errorMessage}`}
}

function createRequest(topics: readonly {name: string; partitions: number[]}[], timeoutMs: number): Writer {
  return Writer.create()
    .appendInt8(PREFERRED)
    .appendArray([...topics], (writer, {name, partitions}) => {
      writer.appendString(name).appendArray(partitions, (w, partition) => w.appendInt32(partition), true, false)
    })
    .appendInt32(timeoutMs)
    .appendTaggedFields()
}

function parseResponse(_correlationId: number, apiKey: number, apiVersion: number, reader: Reader): ElectLeadersResponse {
  reader.readInt32() // How long the broker throttles us.
  const errorCode = reader.readInt16()
  const topics = reader.readArray((r) => ({
    name: r.readString(),
    partitions: r.readArray((p) => ({partition: p.readInt32(), errorCode: p.readInt16(), errorMessage: p.readNullableString()})),
  }))
  reader.readTaggedFields()
  const response = {topics}
  if (errorCode !== 0) throw new ResponseError(apiKey, apiVersion, {'/': [errorCode, null]}, response)
  return response
}
