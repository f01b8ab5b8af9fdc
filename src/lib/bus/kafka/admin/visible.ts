import {DeadlineError, isRetryable, NotConnectedError, UnknownTopicError} from '../../../core/errors.ts'
import {orLate} from '../../deadline.ts'
import {BrokerUnreachableError} from '../errors.ts'
import type {Requests, TopicView} from './requests.ts'

const FIRST_WAIT_MS = 10
const LONGEST_WAIT_MS = 250

/**
 * Waits until every broker sees the topic so; null is a topic that it does not know. Brokers hear of a change one after the other, and a client may ask any
 * of them next. One that does not answer is not waited for.
 */
export async function untilAllBrokers(
  requests: Requests,
  topic: string,
  isSo: (view: TopicView | null) => boolean,
  what: string,
): Promise<void> {
  const endMs = requests.clock.monotonicMs() + requests.timeoutMs
  const {brokers} = await requests.cluster([])
  let waiting = brokers.map(({id}) => id)
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    const seen = await Promise.all(waiting.map((id) => sees(requests, id, topic, isSo)))
    waiting = waiting.filter((_, index) => !seen[index])
    if (waiting.length === 0) return
    if (requests.clock.monotonicMs() > endMs) throw notSeen(what, waiting)
    await requests.clock.sleep(waitMs)
  }
}

async function sees(requests: Requests, node: number, topic: string, isSo: (view: TopicView | null) => boolean): Promise<boolean> {
  try {
    const asked = requests.clusterOnce([topic], {node})
    const {topics} = await orLate(asked, requests.connectTimeoutMs, `asking broker ${node}`)
    return isSo(topics[0] ?? null)
  } catch (error) {
    if (error instanceof UnknownTopicError) return isSo(null)
    if (error instanceof BrokerUnreachableError || error instanceof DeadlineError) return true
    // For example that it is still choosing leaders.
    if (isRetryable(error) && !(error instanceof NotConnectedError)) return false
    throw error
  }
}

function notSeen(what: string, brokers: readonly number[]): DeadlineError {
  return new DeadlineError(`${what}: done, but broker ${brokers.join(', ')} does not show it yet`, {
    remedy: ['look at the brokers: coinpipe nodes', 'then try again'],
  })
}
