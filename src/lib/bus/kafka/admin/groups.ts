import type {consumerGroupDescribeV0, describeGroupsV5, listGroupsV5} from '@platformatic/kafka'
import {decodeConsumerProtocolAssignment} from '@platformatic/kafka'
import {UnsupportedError} from '../../../core/errors.ts'
import type {GroupDescription, GroupMember, GroupPhase, TopicPartition} from '../../../core/ports/bus.ts'
import {protocolName} from '../protocol-name.ts'
import {inOrder} from './offsets.ts'
import type {Requests} from './requests.ts'

type NewGroup = consumerGroupDescribeV0.ConsumerGroupDescribeResponseGroup
type ClassicGroup = describeGroupsV5.DescribeGroupsResponseGroup

/** The protocol of consumers among those that groups may have (Connect has one of its own); a group that only ever had commits has none. */
const CONSUMER = 'consumer'

/** Kafka's names of states, of both protocols. */
const PHASES: Readonly<Record<string, GroupPhase>> = {
  empty: 'empty',
  stable: 'stable',
  dead: 'dead',
  preparingrebalance: 'rebalancing',
  completingrebalance: 'rebalancing',
  assigning: 'rebalancing',
  reconciling: 'rebalancing',
}

/** Groups of consumers, sorted. Each broker knows those that it coordinates. */
export async function listGroups(requests: Requests): Promise<string[]> {
  const {brokers} = await requests.cluster([])
  const answers = await Promise.all(brokers.map(({id}) => groupsOf(requests, id)))
  const names = answers.flat().filter(({protocolType}) => protocolType === CONSUMER || protocolType === '')
  return [...new Set(names.map(({groupId}) => groupId))].sort()
}

/** A broker that is down has handed its groups to another, or is about to; it is asked again only while the cluster still counts it in. */
async function groupsOf(requests: Requests, node: number): Promise<readonly listGroupsV5.ListGroupsResponseGroup[]> {
  return await requests.retrying(async () => {
    const {brokers} = await requests.clusterOnce([])
    if (!brokers.some(({id}) => id === node)) return []
    const what = `list the groups of broker ${node}`
    return (await requests.client.call<listGroupsV5.ListGroupsResponse>({node}, 'ListGroups', [[], []], {what})).groups
  })
}

/** A group that there is not is an empty one. */
export async function describeGroup(requests: Requests, group: string): Promise<GroupDescription> {
  return await requests.retrying(async () => {
    const coordinator = await requests.client.coordinator({group})
    const {brokers} = await requests.clusterOnce([])
    const address = brokers.find(({id}) => id === coordinator)?.address ?? null
    const described = (await describeNew(requests, group)) ?? (await describeClassic(requests, group))
    return {group, coordinator: address, ...described}
  })
}

type Described = Pick<GroupDescription, 'generation' | 'phase' | 'members'>

/** A group of the protocol where the broker shares out the partitions; null where it is none of these. */
async function describeNew(requests: Requests, group: string): Promise<Described | null> {
  try {
    const answer = await requests.client.call<consumerGroupDescribeV0.ConsumerGroupDescribeResponse>(
      {group},
      'ConsumerGroupDescribe',
      [[group], false],
      {what: `describe group '${group}'`},
    )
    const [found] = answer.groups
    return found === undefined ? null : newGroup(found)
  } catch (error) {
    if (error instanceof UnsupportedError || isOtherKind(error)) return null
    throw error
  }
}

/** A classic group, none at all, or a broker that does not have the new protocol switched on. */
function isOtherKind(error: unknown): boolean {
  const reason = protocolName(error)
  return reason === 'GROUP_ID_NOT_FOUND' || reason === 'UNSUPPORTED_VERSION'
}

function newGroup({groupState, groupEpoch, members}: NewGroup): Described {
  return {
    generation: groupEpoch,
    phase: phaseOf(groupState),
    members: members.map(({memberId, instanceId, clientId, clientHost, assignment}) =>
      member(
        {id: memberId, instanceId: instanceId ?? null, client: clientId, host: clientHost},
        assignment.topicPartitions.map(({topicName, partitions}) => ({topic: topicName, partitions})),
      ),
    ),
  }
}

async function describeClassic(requests: Requests, group: string): Promise<Described> {
  const what = `describe group '${group}'`
  const answer = await requests.client.call<describeGroupsV5.DescribeGroupsResponse>({group}, 'DescribeGroups', [[group], false], {what})
  const [found] = answer.groups
  return found === undefined ? {generation: null, phase: 'empty', members: []} : classicGroup(found)
}

function classicGroup({groupState, protocolType, members}: ClassicGroup): Described {
  const phase = phaseOf(groupState)
  return {
    generation: null,
    // Kafka says so of a group that it has never heard of.
    phase: phase === 'dead' ? 'empty' : phase,
    members: members.map(({memberId, groupInstanceId, clientId, clientHost, memberAssignment}) =>
      member(
        {id: memberId, instanceId: groupInstanceId ?? null, client: clientId, host: clientHost},
        protocolType === CONSUMER ? decodeConsumerProtocolAssignment(memberAssignment).assignedPartitions : [],
      ),
    ),
  }
}

interface Assigned {
  readonly topic: string
  readonly partitions: readonly number[]
}

function member({host, ...who}: Omit<GroupMember, 'partitions'>, assigned: readonly Assigned[]): GroupMember {
  const partitions = assigned.flatMap(({topic, partitions: of}): TopicPartition[] => of.map((partition) => ({topic, partition})))
  // Java prints an address without a name as `/127.0.0.1`.
  return {...who, host: host?.replace(/^\//, '') ?? null, partitions: partitions.sort(inOrder)}
}

function phaseOf(state: string): GroupPhase {
  return PHASES[state.toLowerCase()] ?? 'rebalancing'
}
