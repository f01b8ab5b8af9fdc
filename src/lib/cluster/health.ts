import {cassandraHealth} from './cassandra/health.ts'
import {exchange} from './exchange.ts'
import {brokerHealth} from './kafka/broker-health.ts'
import {type ClusterPlan, clientAddress, clientPort, type PlannedNode} from './plan.ts'

/** How a node that runs is doing. */
export interface NodeHealth {
  /** It answers its clients. */
  readonly serving: boolean
  /** It leads the others: the active controller of Kafka, the leader of the ZooKeepers. */
  readonly active: boolean
  /** What it still lacks before the cluster is whole, in words; null where nothing. */
  readonly problem: string | null
}

export type ClusterHealth = ReadonlyMap<string, NodeHealth>

/** Asks every node of `running`, all at once. */
export async function clusterHealth(plan: ClusterPlan, running: readonly PlannedNode[], timeoutMs: number): Promise<ClusterHealth> {
  const brokers = running.filter(({program}) => program === 'kafka')
  const cassandras = running.filter(({program}) => program === 'cassandra')
  const others = running.filter(({program}) => program !== 'kafka' && program !== 'cassandra')
  const [ofBrokers, ofCassandras, ofOthers] = await Promise.all([
    brokerHealth(plan, brokers, timeoutMs),
    cassandraHealth(cassandras, timeoutMs),
    Promise.all(others.map(async (node): Promise<[string, NodeHealth]> => [node.id, await healthOf(node, timeoutMs)])),
  ])
  return new Map([...ofBrokers, ...ofCassandras, ...ofOthers])
}

async function healthOf(node: PlannedNode, timeoutMs: number): Promise<NodeHealth> {
  try {
    if (node.program === 'zookeeper') return await zookeeperHealth(node, timeoutMs)
    return await httpHealth(node, timeoutMs)
  } catch (error) {
    // fetch hides why behind its own words.
    const {message, cause = {message}} = error as Error & {cause?: Error}
    return {serving: false, active: false, problem: `${node.id} does not answer: ${cause.message}`}
  }
}

/** ZooKeeper's four-letter word: it answers with its mode once it belongs to a quorum. */
async function zookeeperHealth(node: PlannedNode, timeoutMs: number): Promise<NodeHealth> {
  const [, mode = ''] = /^Mode: (\w+)$/m.exec(await fourLetterWord(node, 'srvr', timeoutMs)) ?? []
  const serving = ['leader', 'follower', 'standalone'].includes(mode)
  return {serving, active: mode === 'leader' || mode === 'standalone', problem: serving ? null : `${node.id} has no quorum`}
}

async function fourLetterWord(node: PlannedNode, word: string, timeoutMs: number): Promise<string> {
  return (await exchange({host: node.host, port: clientPort(node)}, Buffer.from(word), Number.POSITIVE_INFINITY, timeoutMs)).toString(
    'latin1',
  )
}

async function httpHealth(node: PlannedNode, timeoutMs: number): Promise<NodeHealth> {
  const path = node.program === 'toxiproxy' ? '/version' : '/apis/ccompat/v7/subjects'
  const response = await fetch(`http://${clientAddress(node)}${path}`, {signal: AbortSignal.timeout(timeoutMs)})
  await response.body?.cancel()
  return {serving: response.ok, active: false, problem: response.ok ? null : `${node.id} answers ${response.status}`}
}
