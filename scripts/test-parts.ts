export interface TestPart {
  /** Folder below test/; default: the part's name. */
  readonly folder?: string
  /** Whether its files share the cores. */
  readonly parallel: boolean
  readonly timeoutMs: number
  /** Module that starts what all of its files need, below test/. */
  readonly setup?: string
}

/**
 * The parts of `npm test`, each a project of vitest. Unit and contract tests share the cores; the others open sockets, files, processes and browsers,
 * so their files run one by one. The Kafka suites run on real clusters of three brokers, one after the other: one with its own controllers (KRaft), one
 * with ZooKeeper. The Cassandra suites follow, on a single node that starts
 * in seconds, and on three nodes beside three brokers.
 */
export const TEST_PARTS: Readonly<Record<string, TestPart>> = {
  unit: {parallel: true, timeoutMs: 10_000},
  contract: {parallel: true, timeoutMs: 30_000},
  integration: {parallel: false, timeoutMs: 60_000},
  e2e: {parallel: false, timeoutMs: 120_000},
  browser: {parallel: false, timeoutMs: 120_000},
  cluster: {parallel: false, timeoutMs: 180_000},
  kafka: {parallel: false, timeoutMs: 60_000, setup: 'kafka/setup/kraft.ts'},
  'kafka-zk': {folder: 'kafka', parallel: false, timeoutMs: 60_000, setup: 'kafka/setup/zookeeper.ts'},
  cassandra: {parallel: false, timeoutMs: 180_000, setup: 'cassandra/setup/one-node.ts'},
  'cassandra-cluster': {parallel: false, timeoutMs: 300_000, setup: 'cassandra-cluster/setup/testbed.ts'},
}
