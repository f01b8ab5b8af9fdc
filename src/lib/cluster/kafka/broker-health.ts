import type {ClusterHealth, NodeHealth} from '../health.ts'
import {type ClusterPlan, clientPort, type PlannedNode} from '../plan.ts'
import {type BrokerView, quorumLeader, viewOf} from './probe.ts'

/** Asks each of the running brokers what it knows, and judges. */
export async function brokerHealth(plan: ClusterPlan, running: readonly PlannedNode[], timeoutMs: number): Promise<ClusterHealth> {
  const views = new Map<PlannedNode, BrokerView | Error>()
  await Promise.all(
    running.map(async (node) => {
      views.set(node, await viewOf(addressOf(node), timeoutMs).catch((error: Error) => error))
    }),
  )
  return judgeBrokers(running, views, await activeController(plan, views, timeoutMs))
}

/**
 * Each broker's health by what the brokers say: whole is a broker that answers, knows all the others that run, knows the active controller and is in
 * sync for every partition that it keeps a replica of, by its own word. `controller` is the active controller's number, null where there is none.
 */
export function judgeBrokers(
  running: readonly PlannedNode[],
  views: ReadonlyMap<PlannedNode, BrokerView | Error>,
  controller: number | null,
): ClusterHealth {
  return new Map(running.map((node): [string, NodeHealth] => [node.id, judge(node, running, views.get(node), controller)]))
}

function judge(
  node: PlannedNode,
  running: readonly PlannedNode[],
  view: BrokerView | Error | undefined,
  controller: number | null,
): NodeHealth {
  const {id, number} = node
  const active = controller === number
  if (view === undefined || view instanceof Error)
    return {serving: false, active, problem: `${id} does not answer${view ? `: ${view.message}` : ''}`}
  const serving = view.brokers.includes(number)
  if (!serving) return {serving, active, problem: `${id} is not registered yet`}
  const unknown = running.find((other) => !view.brokers.includes(other.number))
  if (unknown) return {serving, active, problem: `${id} does not know ${unknown.id} yet`}
  if (controller === null) return {serving, active, problem: 'there is no active controller'}
  return {serving, active, problem: lagging(node, view)}
}

function lagging({id, number}: PlannedNode, {partitions}: BrokerView): string | null {
  const behind = partitions.filter(({leader, replicas, inSync}) => replicas.includes(number) && (leader < 0 || !inSync.includes(number)))
  const [first] = behind
  return first ? `${id} is not in sync for ${behind.length} partitions, ${first.topic}-${first.partition} among them` : null
}

/** In KRaft mode only the quorum knows; in ZooKeeper mode what brokers answer is right. */
async function activeController(
  plan: ClusterPlan,
  views: ReadonlyMap<PlannedNode, BrokerView | Error>,
  timeoutMs: number,
): Promise<number | null> {
  const answered = [...views].filter((entry): entry is [PlannedNode, BrokerView] => !(entry[1] instanceof Error))
  if (plan.kind !== 'kafka') return answered.map(([, {controllerId}]) => controllerId).find((id) => id >= 0) ?? null
  const leaders = await Promise.all(answered.map(([node]) => quorumLeader(addressOf(node), timeoutMs).catch(() => null)))
  return leaders.find((leader) => leader !== null) ?? null
}

function addressOf(node: PlannedNode): {host: string; port: number} {
  return {host: node.host, port: clientPort(node)}
}
