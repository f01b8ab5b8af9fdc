import type cassandra from 'cassandra-driver'
import type {Context} from '../../core/context.ts'
import {NodeHealth} from './node-health.ts'

type Driver = typeof cassandra
type Host = cassandra.Host
type Timeout = [info: cassandra.policies.retry.OperationInfo, consistency: cassandra.types.consistencies]

const RECONNECT_FIRST_MS = 500
const RECONNECT_MAX_MS = 5000

export interface PolicyOptions {
  readonly localDatacenter: string
  /** Ask another node where one has not answered for so long; null never. */
  readonly speculativeMs: number | null
}

/** How nodes are chosen, and what is done where one fails: all that we have of our own in place of the driver's defaults. */
export function policiesOf(
  driver: Driver,
  options: PolicyOptions,
  context: Context,
): Pick<cassandra.ClientOptions, 'policies' | 'requestTracker'> {
  const health = new NodeHealth<Host>(context.clock, context.random)
  const {reconnection, speculativeExecution} = driver.policies
  return {
    policies: {
      loadBalancing: replicasByHealth(driver, options.localDatacenter, health),
      retry: onNextNode(driver),
      // The default waits up to ten minutes between two attempts.
      reconnection: new reconnection.ExponentialReconnectionPolicy(RECONNECT_FIRST_MS, RECONNECT_MAX_MS, true),
      speculativeExecution:
        options.speculativeMs === null
          ? new speculativeExecution.NoSpeculativeExecutionPolicy()
          : new speculativeExecution.ConstantSpeculativeExecutionPolicy(options.speculativeMs, 1),
    },
    requestTracker: tracker(driver, health),
  }
}

/**
 * Nodes of the local data centre: replicas of the partition first, then the others, and last those that NodeHealth avoids. The driver's own policy
 * asks a node that hangs as often as any other: with two replicas, half of all requests would wait for their timeout.
 */
function replicasByHealth(
  {policies, types}: Driver,
  localDatacenter: string,
  health: NodeHealth<Host>,
): cassandra.policies.loadBalancing.LoadBalancingPolicy {
  class ReplicasByHealth extends policies.loadBalancing.LoadBalancingPolicy {
    #client: cassandra.Client | undefined
    #hosts: cassandra.HostMap | undefined

    override init(client: cassandra.Client, hosts: cassandra.HostMap, callback: cassandra.EmptyCallback): void {
      this.#client = client
      this.#hosts = hosts
      // As the driver's own policies do, so that a data centre that is not there is an error with the names of those that are.
      new policies.loadBalancing.DCAwareRoundRobinPolicy(localDatacenter).init(client, hosts, callback)
    }

    override getDistance({datacenter}: Host): cassandra.types.distance {
      return datacenter === localDatacenter ? types.distance.local : types.distance.ignored
    }

    override newQueryPlan(
      keyspace: string,
      options: cassandra.ExecutionOptions | null,
      callback: (error: Error, iterator: Iterator<Host>) => void,
    ): void {
      // The driver takes null for no error; its types do not.
      callback(null as unknown as Error, this.#plan(options?.getKeyspace() ?? keyspace, options?.getRoutingKey()))
    }

    *#plan(keyspace: string, routingKey: Buffer | Buffer[] | undefined): Generator<Host, undefined> {
      const local = (this.#hosts?.values() ?? []).filter(({datacenter}) => datacenter === localDatacenter)
      const replicas = new Set<Host>(Buffer.isBuffer(routingKey) ? (this.#client?.getReplicas(keyspace, routingKey) ?? []) : [])
      const {good, bad} = health.order(local.map((node) => ({node, inFlight: inFlightOf(node)})))
      for (const node of [...replicasFirst(good, replicas), ...replicasFirst(bad, replicas)]) {
        health.asked({node, inFlight: inFlightOf(node)})
        yield node
      }
    }
  }
  return new ReplicasByHealth()
}

function replicasFirst(nodes: readonly Host[], replicas: ReadonlySet<Host>): readonly Host[] {
  return [...nodes.filter((node) => replicas.has(node)), ...nodes.filter((node) => !replicas.has(node))]
}

/** Not in the driver's types; its own default policy asks the same. */
function inFlightOf(host: Host): number {
  return (host as {getInFlight?: () => number}).getInFlight?.() ?? 0
}

/** What we send may be repeated: where a node does not answer, or a replica did not, the next one is asked at once. */
function onNextNode({policies}: Driver): cassandra.policies.retry.RetryPolicy {
  class OnNextNode extends policies.retry.RetryPolicy {
    override onWriteTimeout(...[{nbRetry}, consistency]: Timeout): cassandra.policies.retry.DecisionInfo {
      return nbRetry > 0 ? this.rethrowResult() : this.retryResult(consistency, false)
    }

    override onReadTimeout(...[{nbRetry}, consistency]: Timeout): cassandra.policies.retry.DecisionInfo {
      return nbRetry > 0 ? this.rethrowResult() : this.retryResult(consistency, false)
    }
  }
  return new OnNextNode()
}

function tracker({errors, tracker}: Driver, health: NodeHealth<Host>): cassandra.tracker.RequestTracker {
  // A class in the driver, an interface in its types.
  const {RequestTracker} = tracker as unknown as {readonly RequestTracker: new () => cassandra.tracker.RequestTracker}
  const ours: Partial<cassandra.tracker.RequestTracker> = {
    onSuccess(host, _query, _parameters, _options, _requestLength, _responseLength, latency) {
      health.answered(host, millisecondsOf(latency))
    },
    onError(host, _query, _parameters, _options, _requestLength, error, latency) {
      // A node that answers with an error is there; only that it has too much to do says something of it.
      if (!(error instanceof errors.ResponseError) || error.code === OVERLOADED || error.code === BOOTSTRAPPING) health.failed(host)
      else health.answered(host, millisecondsOf(latency))
    },
  }
  return Object.assign(new RequestTracker(), ours)
}

/** CQL native protocol, section 9. */
const OVERLOADED = 0x1001
const BOOTSTRAPPING = 0x1002

function millisecondsOf([seconds = 0, nanoseconds = 0]: readonly number[]): number {
  return seconds * 1000 + nanoseconds / 1e6
}
