import {partitionForKey} from './partitioner.ts'
import {marketKey} from './records.ts'

export interface RoutedTopic {
  readonly partitions: number
  /** Partition of each pinned group. */
  readonly pin: Readonly<Record<string, number>>
}

export interface RouterOptions {
  readonly topics: Readonly<Record<string, RoutedTopic>>
  /** Symbols of each group. */
  readonly groups: Readonly<Record<string, readonly string[]>>
}

export interface Router {
  /**
   * Partition of a market's records in a topic: that of its group where the topic pins it; else by Java's murmur2 of the record key over the
   * partitions that no group is pinned to. Undefined for a topic without pins or one that the config doesn't have: the bus then decides by key.
   */
  partitionOf(topic: string, market: {readonly exchange: string; readonly symbol: string}): number | undefined
}

/** Symbol groups → partitions. A pure function of its options; a symbol's answer is worked out once and kept. */
export function createRouter(options: RouterOptions): Router {
  const routes = new Map(
    Object.entries(options.topics)
      .filter(([, topic]) => Object.keys(topic.pin).length > 0)
      .map(([name, topic]) => [name, cached(topicRoute(topic, options.groups))] as const),
  )
  return {partitionOf: (topic, market) => routes.get(topic)?.(marketKey(market), market.symbol)}
}

type Route = (key: string, symbol: string) => number

function topicRoute(topic: RoutedTopic, groups: RouterOptions['groups']): Route {
  const pinned = new Map(
    Object.entries(topic.pin).flatMap(([group, partition]) => (groups[group] ?? []).map((symbol) => [symbol, partition])),
  )
  const taken = new Set(Object.values(topic.pin))
  const all = Array.from({length: topic.partitions}, (_, partition) => partition)
  const free = all.filter((partition) => !taken.has(partition))
  // Config check refuses pins on every partition while other symbols are collected; a symbol that still turns up shares a pinned partition.
  const open = free.length > 0 ? free : all
  return (key, symbol) => pinned.get(symbol) ?? open[partitionForKey(key, open.length)] ?? 0
}

function cached(route: Route): Route {
  const known = new Map<string, number>()
  return (key, symbol) => {
    const seen = known.get(key)
    if (seen !== undefined) return seen
    const partition = route(key, symbol)
    known.set(key, partition)
    return partition
  }
}
