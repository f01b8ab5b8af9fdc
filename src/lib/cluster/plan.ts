import {z} from 'zod'

export const CLUSTER_KINDS = ['kafka', 'kafka-zk', 'cassandra', 'registry'] as const
export type ClusterKind = (typeof CLUSTER_KINDS)[number]

export const DRIVER_NAMES = ['jvm', 'compose'] as const
export type DriverName = (typeof DRIVER_NAMES)[number]

/** The program that a node runs. */
export const PROGRAMS = ['zookeeper', 'toxiproxy', 'kafka', 'cassandra', 'registry'] as const
export type Program = (typeof PROGRAMS)[number]

const port = z.int().min(1).max(65_535)
const host = z.string().min(1)
const address = z.strictObject({host, port})

/**
 * One listener of a broker. `advertised` is what its clients are told to connect to; null for the controller's, which nobody is told of.
 * CONTROLLER and PLAINTEXT stand in every KRaft node; PROXIED (behind Toxiproxy), SASL_PLAINTEXT and SSL where they were asked for.
 */
const listener = z.strictObject({
  name: z.enum(['PLAINTEXT', 'CONTROLLER', 'PROXIED', 'SASL_PLAINTEXT', 'SSL']),
  protocol: z.enum(['PLAINTEXT', 'SASL_PLAINTEXT', 'SSL']),
  port,
  advertised: address.nullable(),
})

const node = z.strictObject({
  /** `kafka-1`, `zookeeper-2`; unique in the cluster. */
  id: z.string(),
  program: z.enum(PROGRAMS),
  /** Counts from 1 for each program; Kafka's node.id or broker.id, ZooKeeper's myid. */
  number: z.int().min(1),
  roles: z.array(z.enum(['broker', 'controller', 'zookeeper', 'cassandra', 'registry', 'proxy'])).min(1),
  host,
  /** Every TCP port that it listens on, on `host`, by what it is for; `client` is the one that clients use. Listeners of brokers are repeated here. */
  ports: z.record(z.string(), port).refine(({client}) => client !== undefined, 'a port named client is missing'),
  /** Of brokers only. */
  listeners: z.array(listener),
  /**
   * Where Toxiproxy listens for this node's clients, at the port of `client`, and what the node tells them; null where it has no proxy. Of Cassandra nodes only:
   * their clients are told addresses, and one port for all.
   */
  proxiedHost: host.nullable().default(null),
  /** MiB of Java heap; null for a program without one. */
  heapMb: z.int().min(1).nullable(),
})

/** Users of the SASL_PLAINTEXT listener (PLAIN, SCRAM-SHA-256 and -512) and whether there is an SSL listener; for tests of clients. */
const security = z.strictObject({user: z.string().regex(/^[A-Za-z0-9_.-]+$/), password: z.string().min(1), tls: z.boolean()})

export const planSchema = z.strictObject({
  kind: z.enum(CLUSTER_KINDS),
  name: z.string(),
  driver: z.enum(DRIVER_NAMES),
  /** Version of the kind's main program, for example `4.3.1`. */
  version: z.string(),
  /** Identity that KRaft nodes are formatted with: 16 random bytes as 22 characters of base64url. */
  clusterId: z.string(),
  /** In the order in which they start; they stop in the opposite one. */
  nodes: z.array(node).min(1),
  security: security.nullable(),
  /** Cassandra's nodes make do with Java's first compiler: they start sooner and are slower for long. The other kinds always do. */
  fastStart: z.boolean().default(false),
})

export type PlannedListener = Readonly<z.infer<typeof listener>>
export type PlannedNode = Readonly<z.infer<typeof node>>
export type ClusterSecurity = Readonly<z.infer<typeof security>>
/** What a cluster consists of, worked out once when it is made and kept in its state file: everything that is rendered comes from here. */
export type ClusterPlan = Readonly<z.infer<typeof planSchema>>

export function nodesOf(plan: ClusterPlan, program: Program): PlannedNode[] {
  return plan.nodes.filter((node) => node.program === program)
}

export function clientPort(node: PlannedNode): number {
  // The schema refuses a node without it.
  return node.ports.client ?? 0
}

/** What Toxiproxy does for one node. */
export interface PlannedProxy {
  /** The node's id, which is the proxy's name too. */
  readonly name: string
  /** Where clients come in. */
  readonly listen: {readonly host: string; readonly port: number}
  /** Where they are passed on to. */
  readonly upstream: {readonly host: string; readonly port: number}
}

/** What Toxiproxy is told to do; nothing where the cluster has none. */
export function proxiesOf(plan: ClusterPlan): PlannedProxy[] {
  const brokers = nodesOf(plan, 'kafka').flatMap(({id, host, ports: {proxied, behindProxy}}) =>
    proxied !== undefined && behindProxy !== undefined
      ? [{name: id, listen: {host, port: proxied}, upstream: {host, port: behindProxy}}]
      : [],
  )
  const others = nodesOf(plan, 'cassandra').flatMap((node) => {
    const [port, listen] = [clientPort(node), node.proxiedHost]
    return listen === null ? [] : [{name: node.id, listen: {host: listen, port}, upstream: {host: node.host, port}}]
  })
  return [...brokers, ...others]
}

export function clientAddress(node: PlannedNode): string {
  return `${node.host}:${clientPort(node)}`
}
