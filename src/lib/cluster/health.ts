import {connect} from 'node:net'
import {DeadlineError} from '../core/errors.ts'
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
  const others = running.filter(({program}) => program !== 'kafka')
  const [ofBrokers, ofOthers] = await Promise.all([
    brokerHealth(plan, brokers, timeoutMs),
    Promise.all(others.map(async (node): Promise<[string, NodeHealth]> => [node.id, await healthOf(node, timeoutMs)])),
  ])
  return new Map([...ofBrokers, ...ofOthers])
}

async function healthOf(node: PlannedNode, timeoutMs: number): Promise<NodeHealth> {
  try {
    if (node.program === 'zookeeper') return await zookeeperHealth(node, timeoutMs)
    return await (node.program === 'cassandra' ? cassandraHealth(node, timeoutMs) : httpHealth(node, timeoutMs))
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
  return (await exchange(node, Buffer.from(word), Number.POSITIVE_INFINITY, timeoutMs)).toString('latin1')
}

/** Version 4 of the protocol, stream 0: a request without a body that every node answers before anyone logs in, and the code of its answer. */
const CQL_OPTIONS = Buffer.from([0x04, 0, 0, 0, 0x05, 0, 0, 0, 0])
const CQL_SUPPORTED = 0x06

/** Cassandra serves once it answers the first question that drivers ask. */
async function cassandraHealth(node: PlannedNode, timeoutMs: number): Promise<NodeHealth> {
  const answer = await exchange(node, CQL_OPTIONS, CQL_OPTIONS.length, timeoutMs)
  const serving = answer[4] === CQL_SUPPORTED
  return {serving, active: false, problem: serving ? null : `${node.id} does not serve CQL yet`}
}

/** Sends a request and takes `bytes` of the answer, or what there is of it until the other side closes. */
async function exchange(node: PlannedNode, request: Buffer, bytes: number, timeoutMs: number): Promise<Buffer> {
  const socket = connect({host: node.host, port: clientPort(node)})
  const timer = setTimeout(() => socket.destroy(new DeadlineError(`no answer within ${timeoutMs} ms`)), timeoutMs)
  try {
    socket.write(request)
    let answer = Buffer.alloc(0)
    for await (const chunk of socket) {
      answer = Buffer.concat([answer, chunk])
      if (answer.length >= bytes) break
    }
    return answer
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

async function httpHealth(node: PlannedNode, timeoutMs: number): Promise<NodeHealth> {
  const path = node.program === 'toxiproxy' ? '/version' : '/apis/ccompat/v7/subjects'
  const response = await fetch(`http://${clientAddress(node)}${path}`, {signal: AbortSignal.timeout(timeoutMs)})
  await response.body?.cancel()
  return {serving: response.ok, active: false, problem: response.ok ? null : `${node.id} answers ${response.status}`}
}
