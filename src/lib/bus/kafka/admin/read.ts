import type {BusMessage, Isolation, Position, ReadOptions} from '../../../core/ports/bus.ts'
import type {KafkaClient} from '../client.ts'
import {errorOfCode} from '../errors.ts'
import {type FetchAnswer, type FetchPartitionAnswer, fetchApi} from '../fetch-api.ts'
import {FetchBuffer} from '../fetch-buffer.ts'
import {ISOLATION_LEVELS} from '../list-offsets.ts'
import {atTopics, leaderless, offsetsOnce, requirePartitions} from './offsets.ts'
import type {Requests, TopicView} from './requests.ts'

/** Asked for so many records, so much is fetched; what one is on average is not known before. */
const BYTES_PER_RECORD = 1024
const MIN_BYTES = 64 * 1024
const MAX_BYTES = 4 * 1024 * 1024
/** Between looks for an offset that is still to come. */
const LOOK_MS = 100
const OFFSET_OUT_OF_RANGE = 1
/** https://cwiki.apache.org/confluence/x/LQU0BQ (KIP-227) */
const NO_SESSION = [0, -1] as const
const NO_EPOCH = -1
const ANY_RACK = ''

/** The `fetcher` has connections of its own, as a fetch may wait on the broker. */
export interface ReadTools {
  readonly requests: Requests
  readonly fetcher: KafkaClient
}

interface Fetch {
  readonly isolation: Isolation
  readonly maxBytes: number
  readonly waitMs: number
}

/** See BusAdmin.read. Reads up to `maxRecords` or the end; waits for a first record only. */
export async function read(
  tools: ReadTools,
  position: Position,
  maxRecords: number,
  {isolation = 'committed', waitMs = 0}: ReadOptions,
): Promise<BusMessage[]> {
  const {clock} = tools.requests
  const endMs = clock.monotonicMs() + waitMs
  const buffer = new FetchBuffer(position, position.offset)
  const messages: BusMessage[] = []
  while (messages.length < maxRecords) {
    const wanted = maxRecords - messages.length
    const leftMs = messages.length > 0 ? 0 : Math.max(0, endMs - clock.monotonicMs())
    const maxBytes = Math.min(MAX_BYTES, Math.max(MIN_BYTES, wanted * BYTES_PER_RECORD))
    const before = buffer.fetchOffset
    const isReached = await fetchInto(tools, buffer, {isolation, maxBytes, waitMs: leftMs})
    const limits = {maxRecords: wanted, maxBytes: Number.POSITIVE_INFINITY, atLeastOne: true}
    messages.push(...(buffer.read({...position, offset: buffer.expected, ...limits})?.messages ?? []))
    if (buffer.fetchOffset === before && leftMs === 0) break
    if (!isReached) await clock.sleep(Math.min(LOOK_MS, leftMs))
  }
  return messages
}

/** Fetches what comes next, or goes on at the earliest record where that is later; false where the offset is still to come. */
async function fetchInto(tools: ReadTools, buffer: FetchBuffer, fetch: Fetch): Promise<boolean> {
  return await atTopics(tools.requests, [buffer.topic], async (views) => {
    requirePartitions(views, [buffer])
    const answer = await fetchOnce(tools, views[0] as TopicView, buffer, fetch)
    if (answer?.errorCode === OFFSET_OUT_OF_RANGE) {
      const range = (await offsetsOnce(tools.requests, views)).find(({partition}) => partition === buffer.partition)
      if (range === undefined || buffer.fetchOffset > range.earliest) return false
      buffer.jump(range.earliest)
    } else if (answer !== undefined) {
      if (answer.errorCode !== 0) throw errorOfCode(answer.errorCode, null, whatOf(buffer), tools.fetcher.brokers)
      buffer.add(answer.records, answer.aborted, fetch.isolation === 'committed')
    }
    return true
  })
}

async function fetchOnce(
  {requests, fetcher}: ReadTools,
  view: TopicView,
  buffer: FetchBuffer,
  {isolation, maxBytes, waitMs}: Fetch,
): Promise<FetchPartitionAnswer | undefined> {
  const leader = view.partitions[buffer.partition]?.leader ?? null
  if (leader === null) throw leaderless(buffer, requests)
  const {send, byId} = await fetchApi(fetcher)
  const partition = {
    partition: buffer.partition,
    currentLeaderEpoch: NO_EPOCH,
    fetchOffset: BigInt(buffer.fetchOffset),
    lastFetchedEpoch: NO_EPOCH,
    partitionMaxBytes: maxBytes,
  }
  const topics = [{topicId: byId ? view.id : buffer.topic, partitions: [partition]}]
  const maxWaitMs = Math.floor(Math.min(waitMs, requests.brokerTimeoutMs))
  const args = [maxWaitMs, 1, maxBytes, ISOLATION_LEVELS[isolation], ...NO_SESSION, topics, [], ANY_RACK]
  const answer = await fetcher.call<FetchAnswer>({node: leader}, send, args, {what: whatOf(buffer)})
  if (answer.errorCode !== 0) throw errorOfCode(answer.errorCode, null, whatOf(buffer), fetcher.brokers)
  return answer.partitions[0]
}

function whatOf({topic}: FetchBuffer): string {
  return `read topic '${topic}'`
}
