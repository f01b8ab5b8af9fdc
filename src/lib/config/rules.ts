/** What keys say together: combinations that cannot work are errors, doubtful ones warnings. Nothing is connected to. */

import {channelTopic, defaultTopicConfig, MARKET_TOPICS} from '../core/topics.ts'
import {CASSANDRA_RULES} from './cassandra-rules.ts'
import {type Checked, isIntact, problem, type Rule} from './checked.ts'
import {getIn, isTree, type Path, type Tree} from './path.ts'
import {didYouMean, type Origin, type Problem, quote} from './problem.ts'
import {topicReplication} from './replication.ts'
import type {FileConfig} from './schema.ts'
import {ALL} from './values.ts'

/** `tree` is what `config` was parsed from; `layered` is what the user wrote. */
export function checkRules(checked: Checked): Problem[] {
  return RULES.flatMap((rule) => rule(checked))
}

const RULES: readonly Rule[] = [
  symbolsInOneGroup,
  pinsExist,
  unpinnedSymbolsHaveRoom,
  pipelineNamesAreUnique,
  pipelinesDoSomething,
  pipelineSinksExist,
  storesAreOne,
  storesTakeMarkets,
  sinksAreUsed,
  allStandsAlone,
  embeddedBusHasNoBrokers,
  durableAsksForAll,
  kafkajsIsNotDurable,
  copiesSuffice,
  acksMeanSomething,
  acknowledgedElectsCleanly,
  retentionCoversASegment,
  groupsAreCollected,
  ...CASSANDRA_RULES,
]

function symbolsInOneGroup(checked: Checked): Problem[] {
  const first = new Map<string, string>()
  const problems: Problem[] = []
  for (const [group, symbols] of Object.entries(checked.config.groups)) {
    for (const [index, symbol] of symbols.entries()) {
      const other = first.get(symbol)
      if (other === undefined) first.set(symbol, group)
      else problems.push(problem(checked, ['groups', group, index], `'${symbol}', already in ${other}`, 'each symbol in one group, once'))
    }
  }
  return problems
}

function pinsExist(checked: Checked): Problem[] {
  const groups = keysOf(checked.layered.tree.groups)
  return pins(checked.config).flatMap(({topic, group, partition, partitions}) => {
    const path = ['topics', topic, 'pin', group]
    const unknown = groups.includes(group) ? [] : [unknownName(checked, path, group, groups, 'a group')]
    if (partition < partitions) return unknown
    return [
      ...unknown,
      problem(checked, path, `partition ${partition}`, `0 to ${partitions - 1}, as ${topic} has ${partitions} partitions`),
    ]
  })
}

function pins(config: FileConfig) {
  return Object.entries(config.topics).flatMap(([topic, settings]) =>
    Object.entries(settings.pin).map(([group, partition]) => ({topic, group, partition, partitions: partitionsOf(config, topic)})),
  )
}

function partitionsOf(config: FileConfig, topic: string): number {
  return config.topics[topic]?.partitions ?? defaultTopicConfig(topic).partitions
}

function unpinnedSymbolsHaveRoom(checked: Checked): Problem[] {
  const {config} = checked
  return Object.entries(config.topics).flatMap(([topic, {pin}]) => {
    const partitions = partitionsOf(config, topic)
    const taken = Object.entries(pin).filter(([group, partition]) => Object.hasOwn(config.groups, group) && partition < partitions)
    if (new Set(taken.map(([, partition]) => partition)).size < partitions) return []
    const pinned = new Set(Object.keys(pin).flatMap((group) => config.groups[group] ?? []))
    const left = [...collected(config, topic)].filter((symbol) => !pinned.has(symbol))
    if (left.length === 0) return []
    const saw = `a group on each of ${partitions} partitions, and ${left.slice(0, 3).join(', ')}${left.length > 3 ? '…' : ''} in none of them`
    return [problem(checked, ['topics', topic, 'pin'], saw, 'a partition without a group, or every collected symbol in a pinned group')]
  })
}

/** Symbols that pipelines publish to a topic; `all` among them where one takes every market. */
function collected(config: FileConfig, topic?: string): Set<string> {
  const sources = config.pipelines.flatMap(({source}) => (source ? [source] : []))
  const wanted = sources.filter(({channels}) => topic === undefined || channels.some((channel) => channelTopic(channel) === topic))
  return new Set(wanted.flatMap(({symbols}) => symbols))
}

function pipelineNamesAreUnique(checked: Checked): Problem[] {
  const names = checked.config.pipelines.map(({name}) => name)
  return names.flatMap((name, index) => {
    if (names.indexOf(name) === index) return []
    const origin = checked.layered.positionOf(['pipelines', nthWithName(checked.layered.tree, name), 'name'])
    return [problem(checked, ['pipelines', index, 'name'], `'${name}' again`, 'a name that no other pipeline has', {origin})]
  })
}

function nthWithName(tree: Tree, name: string): number {
  const pipelines = Array.isArray(tree.pipelines) ? tree.pipelines : []
  return pipelines.findLastIndex((pipeline) => isTree(pipeline) && pipeline.name === name)
}

function pipelinesDoSomething(checked: Checked): Problem[] {
  return checked.config.pipelines.flatMap(({source, topics, sinks}, index) => {
    const path = ['pipelines', index]
    if (!isIntact(checked, path)) return []
    if (!source && !topics) return [problem(checked, path, 'neither source nor topics', 'a source, or topics for the sinks to read')]
    if (!source && sinks.length === 0) return [problem(checked, path, 'neither source nor sinks', 'a source, or sinks to write to')]
    return []
  })
}

function pipelineSinksExist(checked: Checked): Problem[] {
  const sinks = keysOf(checked.layered.tree.sinks)
  return checked.config.pipelines.flatMap((pipeline, index) =>
    pipeline.sinks.flatMap((sink, position) =>
      sinks.includes(sink) ? [] : [unknownName(checked, ['pipelines', index, 'sinks', position], sink, sinks, 'a sink')],
    ),
  )
}

function storesAreOne(checked: Checked): Problem[] {
  const [first, ...others] = storeNames(checked.config)
  return others.map((name) =>
    problem(checked, ['sinks', name], 'a second store', `one: the data folder has one store, which is ${first} already`),
  )
}

function storeNames({sinks}: FileConfig): string[] {
  return Object.entries(sinks).flatMap(([name, {kind}]) => (kind === 'store' ? [name] : []))
}

function storesTakeMarkets(checked: Checked): Problem[] {
  const stores = storeNames(checked.config)
  return checked.config.pipelines.flatMap(({topics = [], sinks}, index) =>
    topics.flatMap((topic, position) => {
      if (!sinks.some((sink) => stores.includes(sink)) || MARKET_TOPICS.includes(topic)) return []
      return [problem(checked, ['pipelines', index, 'topics', position], `'${topic}', for a store`, MARKET_TOPICS.join(', '))]
    }),
  )
}

function sinksAreUsed(checked: Checked): Problem[] {
  const used = new Set(checked.config.pipelines.flatMap(({sinks}) => sinks))
  return Object.keys(checked.config.sinks)
    .filter((name) => !used.has(name) && checked.layered.originOf(['sinks', name, 'kind']).kind !== 'default')
    .map((name) => problem(checked, ['sinks', name], 'a sink that no pipeline writes to', 'a sink of a pipeline', {severity: 'warning'}))
}

function allStandsAlone(checked: Checked): Problem[] {
  return checked.config.pipelines.flatMap(({source}, index) => {
    if (!source) return []
    const {symbols, quotes} = source
    const path = ['pipelines', index, 'source']
    if (symbols === ALL) return []
    if (symbols.includes(ALL)) return [problem(checked, [...path, 'symbols'], `'${ALL}' among other symbols`, `[${ALL}], or symbols`)]
    if (quotes) return [problem(checked, [...path, 'quotes'], 'quotes, with symbols by name', `no quotes, or symbols: [${ALL}]`)]
    return []
  })
}

function unknownName(checked: Checked, path: Path, name: string, names: readonly string[], what: string): Problem {
  const suggestion = didYouMean(name, names)
  // One that is wrong by itself may be no name at all.
  const allowed = names.some((name) => name !== '') ? names.join(', ') : `the name of ${what}; the config has none`
  return problem(checked, path, `'${name}', not the name of ${what}`, allowed, suggestion === undefined ? {} : {suggestion})
}

/** Switching a Kafka config to the embedded log with a flag or variable is fine: its brokers are then ignored. */
function embeddedBusHasNoBrokers(checked: Checked): Problem[] {
  const {kind, brokers} = checked.config.bus
  if (kind !== 'embedded' || brokers.length === 0 || !isIntact(checked, ['bus'])) return []
  if (rank(checked.layered.originOf(['bus', 'kind'])) > rank(checked.layered.originOf(['bus', 'brokers']))) return []
  const here = ['flag', 'env'].includes(checked.layered.originOf(['bus', 'brokers']).kind)
  const allowed = here ? 'no brokers; or add --bus kafka (or COINPIPE_BUS=kafka)' : 'no brokers, or bus.kind: kafka'
  return [problem(checked, ['bus', 'brokers'], 'brokers, with the embedded bus', allowed)]
}

function rank(origin: Origin): number {
  return ['default', 'file', 'env', 'flag'].indexOf(origin.kind)
}

function durableAsksForAll(checked: Checked): Problem[] {
  const {kind, acks, durable} = checked.config.bus
  const isDefault = checked.layered.originOf(['bus', 'acks']).kind === 'default'
  if (kind !== 'kafka' || !durable || acks === 'all' || isDefault) return []
  return [problem(checked, ['bus', 'acks'], `${acks}, with durable: true`, 'all, or durable: false')]
}

/** The kafkajs driver refuses idempotence: with it, acknowledged records were lost when a controller was killed. */
function kafkajsIsNotDurable(checked: Checked): Problem[] {
  const {kind, client, durable} = checked.config.bus
  if (kind !== 'kafka' || client !== 'kafkajs' || !durable) return []
  return [problem(checked, ['bus', 'durable'], 'true, with client: kafkajs', 'false, or client: platformatic')]
}

/** Topics that this config may create on Kafka, and how they are kept. */
function kafkaTopics(config: FileConfig) {
  if (config.bus.kind !== 'kafka') return []
  const names = new Set([...MARKET_TOPICS, ...Object.keys(config.topics)])
  return [...names].map((topic) => ({topic, ...topicReplication(config, topic)}))
}

function copiesSuffice(checked: Checked): Problem[] {
  return kafkaTopics(checked.config).flatMap(({topic, replicas, minInsync}) => {
    if (minInsync <= replicas) return []
    const allowed = `${replicas} or fewer, as ${topic} has ${replicas} replica${replicas === 1 ? '' : 's'}: no write would ever be enough`
    return [problem(checked, insyncPath(checked, topic), `min.insync.replicas ${minInsync}`, allowed)]
  })
}

/** Where the number of copies that must be in sync comes from. */
function insyncPath({config}: Checked, topic: string): Path {
  return config.topics[topic]?.minInsyncReplicas === undefined ? ['bus', 'replicas'] : ['topics', topic, 'minInsyncReplicas']
}

/** With acks=all, min.insync.replicas says what an acknowledgement is worth, and how many brokers must be up for one. */
function acksMeanSomething(checked: Checked): Problem[] {
  const {acks, durable} = checked.config.bus
  if (acks !== 'all' && !durable) return []
  const doubtful = kafkaTopics(checked.config).filter(({replicas, minInsync}) => minInsync === 1 || minInsync === replicas)
  const worth = doubtful.filter(({minInsync}) => minInsync === 1)
  const stops = doubtful.filter(({minInsync}) => minInsync > 1)
  const say = (topics: typeof doubtful, saw: string, allowed: string) => {
    const [first] = topics
    if (first === undefined) return []
    const names = topics.map(({topic}) => topic).join(', ')
    return [problem(checked, insyncPath(checked, first.topic), `${saw} (${names})`, allowed, {severity: 'warning'})]
  }
  return [
    ...say(
      worth,
      'acks=all with min.insync.replicas 1',
      '2: else one broker alone may acknowledge, and take the record along when it dies',
    ),
    ...say(stops, 'min.insync.replicas equal to the replicas', 'one fewer: else one broker down stops all writes'),
  ]
}

/** Whoever waits for all replicas wants to keep what was acknowledged: an error where durable promises it, else a doubt. */
function acknowledgedElectsCleanly(checked: Checked): Problem[] {
  const {bus, topics} = checked.config
  if (bus.kind !== 'kafka' || (bus.acks !== 'all' && !bus.durable)) return []
  return Object.entries(topics).flatMap(([topic, {uncleanLeaderElection}]) => {
    if (uncleanLeaderElection !== true) return []
    const path = ['topics', topic, 'uncleanLeaderElection']
    const saw = bus.durable ? 'true, with durable: true' : 'true, with acks: all'
    return [problem(checked, path, saw, 'false: it loses acknowledged records', {severity: bus.durable ? 'error' : 'warning'})]
  })
}

/** Kafka drops whole segments, and a topic's segments last an hour. */
const SEGMENT_MS = 3_600_000

function retentionCoversASegment(checked: Checked): Problem[] {
  const {bus, topics} = checked.config
  if (bus.kind !== 'kafka') return []
  return Object.entries(topics).flatMap(([topic, {retention}]) => {
    if (retention === undefined || retention === null || retention >= SEGMENT_MS) return []
    const path = ['topics', topic, 'retention']
    return [problem(checked, path, quote(getIn(checked.tree, path)), '1h or more: Kafka drops whole segments, of an hour each')]
  })
}

function groupsAreCollected(checked: Checked): Problem[] {
  const symbols = collected(checked.config)
  if (symbols.size === 0 || symbols.has(ALL)) return []
  return Object.entries(checked.config.groups).flatMap(([group, members]) =>
    members.flatMap((member, index) => {
      if (symbols.has(member)) return []
      return [
        problem(checked, ['groups', group, index], `'${member}', which no pipeline collects`, 'symbols of pipelines', {
          severity: 'warning',
        }),
      ]
    }),
  )
}

function keysOf(node: unknown): string[] {
  return isTree(node) ? Object.keys(node) : []
}
