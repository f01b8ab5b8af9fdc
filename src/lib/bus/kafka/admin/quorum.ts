import type {describeQuorumV2} from '@platformatic/kafka'
import {isRetryable, NotConnectedError, UnsupportedError} from '../../../core/errors.ts'
import {orLate} from '../../deadline.ts'
import {noLeader} from '../errors.ts'
import type {ClusterView, Requests} from './requests.ts'

const METADATA_TOPIC = '__cluster_metadata'
/** Controllers fetch from the active one at least every half second (controller.quorum.fetch.timeout.ms is 2 s). */
const SILENT_MS = 5_000n

export interface Controller {
  readonly id: number
  /** Where it listens to other controllers; null where the brokers are too old to tell (before 3.9). */
  readonly address: string | null
  readonly alive: boolean
}

export interface Controllers {
  /** The active one; null during an election, and where it cannot be found out in time. */
  readonly active: number | null
  /** All that may become active, where the cluster has controllers of its own; in ZooKeeper mode any broker may. */
  readonly all: readonly Controller[]
}

/**
 * In KRaft mode by DescribeQuorum, which any node answers; in ZooKeeper mode, where there is no such request, Metadata tells. Brokers pass the question on to
 * the active controller, and to one that hangs for as long as their controller.socket.timeout.ms (30 s): longer than people wait.
 */
export async function controllers(requests: Requests, {controllerId}: ClusterView): Promise<Controllers> {
  try {
    return await orLate(
      requests.retrying(() => quorum(requests)),
      requests.connectTimeoutMs,
      'looking up the active controller',
    )
  } catch (error) {
    if (error instanceof UnsupportedError) return {active: controllerId < 0 ? null : controllerId, all: []}
    if (isRetryable(error) && !(error instanceof NotConnectedError)) return {active: null, all: []}
    throw error
  }
}

async function quorum(requests: Requests): Promise<Controllers> {
  const what = 'look up the active controller'
  const answer = await requests.client.call<describeQuorumV2.DescribeQuorumResponse>(
    'any',
    'DescribeQuorum',
    [[{topicName: METADATA_TOPIC, partitions: [{partitionIndex: 0}]}]],
    {what},
  )
  const partition = answer.topics[0]?.partitions[0]
  if (partition === undefined || partition.leaderId < 0) throw noLeader(what, requests.client.brokers)
  const {leaderId, currentVoters} = partition
  const now = currentVoters.find(({replicaId}) => replicaId === leaderId)?.lastFetchTimestamp ?? 0n
  const addresses = new Map(answer.nodes.map(({nodeId, listeners: [listener]}) => [nodeId, listener]))
  const all = currentVoters.map(({replicaId, lastFetchTimestamp}): Controller => {
    const listener = addresses.get(replicaId)
    const address = listener === undefined ? null : `${listener.host}:${listener.port}`
    return {id: replicaId, address, alive: replicaId === leaderId || now - lastFetchTimestamp < SILENT_MS}
  })
  return {active: leaderId, all}
}
