import {stringify} from 'yaml'

/** The replication that coinpipe's keyspace has; tokens are chosen so that its load is even. */
const REPLICATION_FACTOR = 2
/** Of each node. */
export const TOKENS = 16

export interface CassandraSettings {
  /** Nodes that a new one asks about the others. */
  readonly seeds: readonly string[]
  /** Where it listens, for nodes and clients. */
  readonly listen: string
  /** What the other nodes are told, where it is not `listen`. */
  readonly broadcast?: string | undefined
  /** What clients are told, where it is not `listen`. */
  readonly broadcastRpc?: string | undefined
  readonly ports: {readonly client: number; readonly storage: number}
  /** The tokens that the node takes when it joins. Without them it chooses by what it knows of the ring, which is little where several join at once. */
  readonly tokens?: readonly bigint[]
  readonly heapMb: number
  /**
   * When a write is on disk and acknowledged, so that neither kill -9 nor a power cut takes it: `batch` syncs as often as the disk can; `group` waits up
   * to 10 ms for others. A server's disk is shared with a broker, and with ZooKeeper, whose sessions depend on quick syncs of its own: there it is `group`.
   * Cassandra's own default, `periodic`, acknowledges up to 10 s before the sync.
   */
  readonly commitLogSync: 'batch' | 'group'
}

/** A cassandra.yaml; its folders come from `-Dcassandra.storagedir`. */
export function renderCassandraYaml(settings: CassandraSettings): string {
  const {seeds, listen, broadcast, broadcastRpc, ports, tokens, heapMb, commitLogSync} = settings
  return stringify({
    cluster_name: 'coinpipe',
    num_tokens: TOKENS,
    ...(tokens ? {initial_token: tokens.join(',')} : {allocate_tokens_for_local_replication_factor: REPLICATION_FACTOR}),
    partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
    endpoint_snitch: 'SimpleSnitch',
    seed_provider: [{class_name: 'org.apache.cassandra.locator.SimpleSeedProvider', parameters: [{seeds: seeds.join(',')}]}],
    listen_address: listen,
    rpc_address: listen,
    ...(broadcast !== undefined && {broadcast_address: broadcast}),
    ...(broadcastRpc !== undefined && {broadcast_rpc_address: broadcastRpc}),
    storage_port: ports.storage,
    native_transport_port: ports.client,
    commitlog_sync: commitLogSync,
    ...(commitLogSync === 'group' && {commitlog_sync_group_window: '10ms'}),
    commitlog_segment_size: '32MiB',
    commitlog_total_space: '1024MiB',
    disk_failure_policy: 'stop',
    commit_failure_policy: 'stop',
    max_hint_window: '3h',
    memtable_allocation_type: 'heap_buffers',
    memtable_heap_space: mib(heapMb / 4),
    file_cache_size: mib(heapMb / 8),
    networking_cache_size: mib(heapMb / 16),
    concurrent_compactors: 1,
    compaction_throughput: '32MiB/s',
    // Batches of one partition, of 50 to 100 rows, are how rows come in.
    batch_size_warn_threshold: '64KiB',
    batch_size_fail_threshold: '512KiB',
  })
}

function mib(value: number): string {
  return `${Math.floor(value)}MiB`
}
