import type {fetchV17} from '@platformatic/kafka'
import type {BusMessage, Isolation, Position, ReadOptions} from '../../../core/ports/bus.ts'
import type {KafkaClient} from '../client.ts'
import {errorOfCode} from '../errors.ts'
import {type Decoded, decode} from './decode.ts'
import {atTopics, leaderless, offsetsOnce, requirePartitions} from './offsets.ts'
import type {Requests, TopicView} from './requests.ts'

type FetchedPartition = fetchV17.FetchResponsePartition

/** Asked for so many records, so much is fetched; what one is on average is not known before. */
const BYTES_PER_RECORD = 1024
const MIN_BYTES = 64 * 1024
const MAX_BYTES = 4 * 1024 * 1024
/** Between looks for an offset that is still to come. */
const LOOK_MS = 100
/** Fetch names topics by id from this version on. */
const BY_ID = 13
const OFFSET_OUT_OF_RANGE = 1
const LEVEL = {uncommitted: 0, committed: 1} as const

/** The `fetcher` has connections of its own, as a fetch may wait on the broker. */
export interface ReadTools {
  readonly requests: Requests
  readonly fetcher: KafkaClient
}

interface Wanted extends Position {
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
  const messages: BusMessage[] = []
  let offset = position.offset
  while (messages.length < maxRecords) {
    const leftMs = messages.length > 0 ? 0 : Math.max(0, endMs - clock.monotonicMs())
    const maxBytes = Math.min(MAX_BYTES, Math.max(MIN_BYTES, (maxRecords - messages.length) * BYTES_PER_RECORD))
    const found = await fetchFrom(tools, {...position, offset, isolation, maxBytes, waitMs: leftMs})
    if (found !== null) messages.push(...found.messages)
    const isEnd = found === null || found.next === offset
    if (isEnd && leftMs === 0) break
    if (found === null) await clock.sleep(Math.min(LOOK_MS, leftMs))
    else offset = found.next
  }
  return messages.slice(0, maxRecords)
}

/** What is there from an offset on; at the end nothing, with `next` the same as asked for; null where the offset is still to come. */
async function fetchFrom(tools: ReadTools, wanted: Wanted): Promise<Decoded | null> {
  return await atTopics(tools.requests, [wanted.topic], async (views) => {
    requirePartitions(views, [wanted])
    const [view] = views as [TopicView]
    const partition = await fetch(tools, view, wanted)
    if (partition?.errorCode !== OFFSET_OUT_OF_RANGE) return decoded(tools, wanted, partition)
    const earliest = (await offsetsOnce(tools.requests, views)).find(({partition: index}) => index === wanted.partition)?.earliest ?? 0
    if (wanted.offset > earliest) return null
    const from = {...wanted, offset: earliest}
    return decoded(tools, from, await fetch(tools, view, from))
  })
}

function decoded({fetcher}: ReadTools, wanted: Wanted, partition: FetchedPartition | undefined): Decoded {
  if (partition === undefined) return {messages: [], next: wanted.offset}
  const {errorCode, records, abortedTransactions} = partition
  if (errorCode !== 0) throw errorOfCode(errorCode, null, `read topic '${wanted.topic}'`, fetcher.brokers)
  return decode({...wanted, batches: records ?? [], aborted: abortedTransactions ?? []})
}

async function fetch({requests, fetcher}: ReadTools, view: TopicView, wanted: Wanted): Promise<FetchedPartition | undefined> {
  const {topic, partition, offset, isolation, maxBytes, waitMs} = wanted
  const leader = view.partitions[partition]?.leader ?? null
  if (leader === null) throw leaderless(wanted, requests)
  const {version} = await fetcher.api('Fetch')
  const asked = {partition, currentLeaderEpoch: -1, fetchOffset: BigInt(offset), lastFetchedEpoch: -1, partitionMaxBytes: maxBytes}
  const topics = [{topicId: version >= BY_ID ? view.id : topic, partitions: [asked]}]
  const maxWaitMs = Math.floor(Math.min(waitMs, requests.brokerTimeoutMs))
  // No session: 0 and -1. https://kafka.apache.org/protocol#The_Messages_Fetch
  const args = [maxWaitMs, 1, maxBytes, LEVEL[isolation], 0, -1, topics, [], '']
  const options = {what: `read topic '${topic}'`, partial: true}
  const answer = await fetcher.call<fetchV17.FetchResponse>({node: leader}, 'Fetch', args, options)
  if (answer.errorCode !== 0) throw errorOfCode(answer.errorCode, null, options.what, fetcher.brokers)
  return answer.responses[0]?.partitions[0]
}
