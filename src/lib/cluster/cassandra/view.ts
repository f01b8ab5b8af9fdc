import type cassandra from 'cassandra-driver'
import {clientPort, type PlannedNode} from '../plan.ts'
import {withClient} from './client.ts'
import {replicaSets, tokenFor} from './ring.ts'

/** What a node says of another one. */
export type Sight = 'up' | 'down' | 'no answer' | 'unknown' | 'joining'

/** The cluster as one node knows it. */
export interface NodeView {
  readonly schemaVersion: string
  /** By the other's address. */
  readonly sights: ReadonlyMap<string, Sight>
}

/** Of system_traces, which every cluster has. */
const COPIES = 2
const UNAVAILABLE = 0x1000
const READ_TIMEOUT = 0x1200
const READ_FAILURE = 0x1300

/**
 * What a node thinks of `others`. Rejects with the driver's error where it does not answer. Without JMX, and whatever rows there are: a question to one token at consistency ALL is refused at once where the failure detector of the node thinks that a replica of it is down.
 */
export async function viewOf(node: PlannedNode, others: readonly PlannedNode[], timeoutMs: number): Promise<NodeView> {
  const [host, port] = [node.host, clientPort(node)]
  return await withClient({host, port, timeoutMs}, async (client, driver) => {
    const [local, peers, gossip] = await Promise.all([
      client.execute('SELECT tokens, schema_version FROM system.local'),
      client.execute('SELECT peer, tokens FROM system.peers_v2'),
      client.execute('SELECT address, status_with_port FROM system_views.gossip_info'),
    ])
    const tokens = new Map<string, readonly string[]>(peers.rows.map((row) => [String(row.peer), row.tokens ?? []]))
    tokens.set(host, local.rows[0]?.tokens ?? [])
    const states = new Map(gossip.rows.map((row) => [String(row.address), String(row.status_with_port)]))
    const sets = replicaSets(tokens, COPIES)
    const sightOf = async (other: string): Promise<Sight> => {
      if (!tokens.get(other)?.length) return 'unknown'
      if (!states.get(other)?.startsWith('NORMAL')) return 'joining'
      const token = tokenFor(sets, host, other)
      return token === undefined ? 'unknown' : await ask(client, driver, token)
    }
    const sights = await Promise.all(others.map(async ({host}) => [host, await sightOf(host)] as const))
    return {schemaVersion: String(local.rows[0]?.schema_version), sights: new Map(sights)}
  })
}

async function ask(client: cassandra.Client, {errors, types}: typeof cassandra, token: bigint): Promise<Sight> {
  const question = `SELECT session_id FROM system_traces.sessions WHERE token(session_id) = ${token} LIMIT 1`
  try {
    await client.execute(question, [], {consistency: types.consistencies.all})
    return 'up'
  } catch (error) {
    if (error instanceof errors.ResponseError) {
      if (error.code === UNAVAILABLE) return 'down'
      if (error.code === READ_TIMEOUT || error.code === READ_FAILURE) return 'no answer'
    }
    if (error instanceof errors.OperationTimedOutError) return 'no answer'
    throw error
  }
}
