/**
 * A consumer group as data, and every change to it as a pure function. The buses only load, apply and store it, each change in one transaction.
 *
 * A partition has an `owner`, who may commit it, and a `target`, who should hold it. Where they differ the owner drains: it finishes what it read and
 * releases the partition, or loses it at `releaseByMs`. `epoch` is the generation in which the owner got the partition: a commit carries it, so that
 * one by an earlier holder is told apart even when the partition came back to the same member.
 */
import {isDeepStrictEqual} from 'node:util'
import type {TopicPartition} from '../core/ports/bus.ts'
import {isSameProcess, type ProcessIdentity} from '../core/process-identity.ts'
import {assignPartitions, partitionKey} from './assign.ts'
import {instanceReplaced} from './errors.ts'

/** Without a heartbeat for this long a member is out. */
export const LEASE_MS = 10_000
export const HEARTBEAT_MS = 1_000
/** How long a member may go on with a partition that should move. */
export const DRAIN_MS = 10_000

export interface Member {
  readonly id: string
  readonly instanceId: string | null
  readonly topics: readonly string[]
  readonly process: ProcessIdentity
  readonly leaseUntilMs: number
}

export interface Holding extends TopicPartition {
  readonly owner: string
  readonly target: string
  readonly epoch: number
  /** Null where owner and target are the same. */
  readonly releaseByMs: number | null
}

export interface GroupState {
  readonly generation: number
  readonly members: readonly Member[]
  readonly holdings: readonly Holding[]
}

export const EMPTY_GROUP: GroupState = {generation: 0, members: [], holdings: []}

/** Adds a member. One with an instance id takes the place, and the partitions, of an earlier member of that name; the earlier one is fenced. */
export function join(state: GroupState, member: Member): GroupState {
  const earlier = member.instanceId === null ? undefined : state.members.find((other) => other.instanceId === member.instanceId)
  const members = [...state.members.filter((other) => other !== earlier), member]
  if (earlier === undefined) return {...state, members}
  const epoch = state.generation + 1
  const rename = (id: string) => (id === earlier.id ? member.id : id)
  const holdings = state.holdings.map((holding) => {
    const [owner, target] = [rename(holding.owner), rename(holding.target)]
    const releaseByMs = owner === target ? null : holding.releaseByMs
    return {...holding, owner, target, releaseByMs, epoch: owner === holding.owner ? holding.epoch : epoch}
  })
  return {...state, members, holdings}
}

export function renew(state: GroupState, memberId: string, nowMs: number): GroupState {
  return {
    ...state,
    members: state.members.map((member) => (member.id === memberId ? {...member, leaseUntilMs: nowMs + LEASE_MS} : member)),
  }
}

/**
 * Whether the member is still in the group. Throws FencedError where another took over its instance id: to join again would throw that one out, and so
 * on for ever.
 */
export function isMember(state: GroupState, group: string, memberId: string, instanceId: string | null): boolean {
  if (state.members.some((member) => member.id === memberId)) return true
  if (instanceId !== null && state.members.some((member) => member.instanceId === instanceId)) throw instanceReplaced(group, instanceId)
  return false
}

/** Takes a member out at once. A static one stays until its lease ends, so that it can come back to its partitions. */
export function leave(state: GroupState, memberId: string): GroupState {
  return {...state, members: state.members.filter((member) => member.id !== memberId || member.instanceId !== null)}
}

/** Takes out who is dead or silent. A dead process is seen at once; a static member gets its whole lease to come back. */
export function evict(state: GroupState, nowMs: number): GroupState {
  const members = state.members.filter((member) => member.leaseUntilMs > nowMs && (member.instanceId !== null || !isDead(member, nowMs)))
  return members.length === state.members.length ? state : {...state, members}
}

/** Asking the system about a process takes 10 ms on macOS, so whoever gave a sign of life just now, as the one who asks, is not asked about. */
function isDead(member: Member, nowMs: number): boolean {
  const silentMs = nowMs + LEASE_MS - member.leaseUntilMs
  return silentMs >= HEARTBEAT_MS / 2 && isSameProcess(member.process) === false
}

/** The owner has drained these partitions. */
export function release(state: GroupState, memberId: string, partitions: readonly TopicPartition[]): GroupState {
  const released = new Set(partitions.map(partitionKey))
  const holdings = state.holdings.map((holding) =>
    holding.owner === memberId && holding.target !== memberId && released.has(partitionKey(holding))
      ? {...holding, releaseByMs: 0}
      : holding,
  )
  return {...state, holdings}
}

/**
 * Works out anew who holds what among `partitions`, all those of the topics that exist, after `before` was changed to `state`. Raises the generation
 * where members or holdings are others than before.
 */
export function settle(before: GroupState, state: GroupState, partitions: readonly TopicPartition[], nowMs: number): GroupState {
  const generation = before.generation + 1
  const holdings = state.members.length === 0 ? [] : settleHoldings(state, partitions, generation, nowMs)
  const same = isDeepStrictEqual(memberIds(before), memberIds(state)) && isDeepStrictEqual(holdings, before.holdings)
  return {members: state.members, holdings, generation: same ? before.generation : generation}
}

function memberIds(state: GroupState): readonly string[] {
  return state.members.map((member) => member.id)
}

function settleHoldings(state: GroupState, partitions: readonly TopicPartition[], generation: number, nowMs: number): Holding[] {
  const earlier = new Map(state.holdings.map((holding) => [partitionKey(holding), holding]))
  const current = new Map(state.holdings.map((holding) => [partitionKey(holding), holding.target]))
  const targets = assignPartitions(state.members, partitions, current)
  const alive = new Set(memberIds(state))
  return partitions.flatMap(({topic, partition}): Holding[] => {
    const key = partitionKey({topic, partition})
    const target = targets.get(key)
    return target === undefined ? [] : [{topic, partition, ...hold(earlier.get(key), target, alive, generation, nowMs)}]
  })
}

function hold(before: Holding | undefined, target: string, alive: ReadonlySet<string>, generation: number, nowMs: number) {
  if (before?.owner === target) return {owner: target, target, epoch: before.epoch, releaseByMs: null}
  const drains = before !== undefined && alive.has(before.owner) && (before.releaseByMs === null || before.releaseByMs > nowMs)
  if (!drains) return {owner: target, target, epoch: generation, releaseByMs: null}
  return {owner: before.owner, target, epoch: before.epoch, releaseByMs: before.releaseByMs ?? nowMs + DRAIN_MS}
}

/** The topics that anyone in the group reads. */
export function subscribedTopics(state: GroupState): readonly string[] {
  return [...new Set(state.members.flatMap((member) => member.topics))].sort()
}

/** Whether `memberId` may commit the partition. */
export function mayCommit(state: GroupState, memberId: string, partition: TopicPartition, epoch: number): boolean {
  const key = partitionKey(partition)
  return state.holdings.some((holding) => partitionKey(holding) === key && holding.owner === memberId && holding.epoch === epoch)
}
