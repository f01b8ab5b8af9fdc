/** The config in force, in the words of the file: what `config show` prints, and what origins are asked by. */

import {formatBytes, formatDuration} from '../core/duration.ts'
import type {Config} from './load.ts'
import {displayPath, type Path, type Tree} from './path.ts'
import {maskUrl, Secret} from './secrets.ts'

/** One setting: where it is in the file's terms, and its value, secrets masked. */
export interface Setting {
  readonly path: Path
  /** For example `topics.market.trade.retention`. */
  readonly display: string
  readonly value: unknown
}

/** The config as a tree that could be written as the file; secrets show as a mask. */
export function effectiveTree(config: Config): Tree {
  const isKafka = config.bus.kind === 'kafka'
  const topics = Object.entries(config.topics).map(([name, {partitions, retentionMs, retentionBytes, replicas, settings, pin}]) => {
    const retention = retentionMs === null ? 'forever' : formatDuration(retentionMs)
    const size = retentionBytes === null ? 'unlimited' : formatBytes(retentionBytes)
    return [name, {partitions, retention, retentionBytes: size, ...(isKafka ? {replicas, ...kafkaTree(settings)} : {}), pin}]
  })
  const sinks = Object.entries(config.sinks).map(([name, sink]) => [name, sinkTree(sink)])
  const pipelines = config.pipelines.map(({source, ...pipeline}) => ({...pipeline, ...(source ? {source: sourceTree(source)} : {})}))
  const spill = {maxBytes: formatBytes(config.spill.maxBytes)}
  return masked({
    ...config,
    bus: isKafka ? busTree(config.bus) : {kind: config.bus.kind},
    topics: Object.fromEntries(topics),
    sinks: Object.fromEntries(sinks),
    pipelines,
    spill,
  }) as Tree
}

function busTree(bus: Config['bus']) {
  return {...bus, ...timesOf(bus, BUS_TIMES), batchSize: formatBytes(bus.batchSize)}
}

/** Those of the keys that are there, as durations; null, which only some may be, is `forever`. */
function timesOf(settings: object, keys: readonly string[]) {
  const times = Object.entries(settings).filter(([key]) => keys.includes(key))
  return Object.fromEntries(times.map(([key, value]) => [key, value === null ? 'forever' : formatDuration(Number(value))]))
}

const BUS_TIMES = ['linger', 'deliveryTimeout', 'requestTimeout', 'sessionTimeout', 'transactionTimeout']

/** A topic's settings of Kafka by our names. */
function kafkaTree(settings: Readonly<Record<string, string>> = {}) {
  const unclean = settings['unclean.leader.election.enable']
  return {
    minInsyncReplicas: Number(settings['min.insync.replicas']),
    ...(unclean === undefined ? {} : {uncleanLeaderElection: unclean === 'true'}),
    ...(settings['compression.type'] === undefined ? {} : {compression: settings['compression.type']}),
  }
}

function sourceTree(source: NonNullable<Config['pipelines'][number]['source']>) {
  return {...source, symbols: [source.symbols].flat()}
}

function sinkTree(sink: SinkConfig) {
  if (sink.kind === 'store') return {...sink, retention: retentionTree(sink.retention)}
  const {ttlOf, maxInFlight} = sink
  return {...sink, ...timesOf(sink, CASSANDRA_TIMES), ttlOf: timesOf(ttlOf, Object.keys(ttlOf)), maxInFlight: formatBytes(maxInFlight)}
}

const CASSANDRA_TIMES = ['ttl', 'gcGrace', 'window', 'linger', 'deadline', 'requestTimeout', 'connectTimeout', 'speculative']

type SinkConfig = Config['sinks'][string]

function retentionTree({tradesMs, maxTrades, candlesMs, gapsMs}: Extract<SinkConfig, {kind: 'store'}>['retention']) {
  const candles = Object.entries(candlesMs).map(([interval, ms]) => [interval, formatDuration(ms)])
  return {trades: formatDuration(tradesMs), maxTrades, candles: Object.fromEntries(candles), gaps: formatDuration(gapsMs)}
}

/** Every value (and list of values) of the config, in the order of the format. */
export function listSettings(tree: Tree): Setting[] {
  return walk(tree, [], tree)
}

function walk(node: unknown, path: Path, tree: Tree): Setting[] {
  if (Array.isArray(node) && node.some((element) => typeof element === 'object')) {
    return node.flatMap((element, index) => walk(element, [...path, index], tree))
  }
  if (typeof node === 'object' && node !== null && !Array.isArray(node)) {
    return Object.entries(node).flatMap(([key, value]) => walk(value, [...path, key], tree))
  }
  return [{path, display: displayPath(tree, path), value: node}]
}

function masked(node: unknown): unknown {
  if (node instanceof Secret) return String(node)
  if (typeof node === 'string') return maskUrl(node)
  if (Array.isArray(node)) return node.map(masked)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, masked(value)]))
}
