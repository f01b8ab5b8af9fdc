/** Environment and flags laid over the file: flag > env > file > default. */

import {cassandraNames, IMPLICIT_CASSANDRA} from './cassandra-sink.ts'
import type {SourceFile} from './file.ts'
import {getIn, isTree, type Path, setIn, type Tree} from './path.ts'
import {didYouMean, type Origin, type Problem, quote} from './problem.ts'
import {configJsonSchema} from './schema.ts'
import {envName, fromText, listTargets, type Target} from './targets.ts'

export interface ConfigFlags {
  /** Values of `--set`, each `path=value`. */
  readonly set?: readonly string[] | undefined
  /** `--bus`, short for `--set bus.kind=…`. */
  readonly bus?: string | undefined
  /** `--brokers`, comma-separated. */
  readonly brokers?: string | undefined
  /** `--kafka-client`. */
  readonly kafkaClient?: string | undefined
  /** `--durable`: `true` or `false`. */
  readonly durable?: string | undefined
  /** `--data-dir`. */
  readonly dataDir?: string | undefined
  /** Of commands about Cassandra. */
  readonly cassandra?: CassandraFlags | undefined
}

/** Short for settings of a sink of kind `cassandra`; texts, as `--set` takes them. */
export interface CassandraFlags {
  /** `--sink`; without it the settings are of the only sink of that kind. */
  readonly sink?: string | undefined
  /** Flag and setting → value, for example `local-datacenter` and `localDatacenter`. */
  readonly settings: readonly {readonly flag: string; readonly key: string; readonly text: string}[]
}

/** Flags with a name of their own: path, flag, short environment variable. */
const SHORTCUTS = [
  {flag: 'bus', name: '--bus', path: 'bus.kind', env: 'COINPIPE_BUS'},
  {flag: 'brokers', name: '--brokers', path: 'bus.brokers', env: 'COINPIPE_BROKERS'},
  {flag: 'kafkaClient', name: '--kafka-client', path: 'bus.client', env: 'COINPIPE_KAFKA_CLIENT'},
  {flag: 'durable', name: '--durable', path: 'bus.durable', env: 'COINPIPE_DURABLE'},
  {flag: 'dataDir', name: '--data-dir', path: 'dataDir', env: 'COINPIPE_DATA_DIR'},
] as const

/** The tree with everything laid over it. */
export interface Layered {
  readonly tree: Tree
  readonly problems: readonly Problem[]
  /** Where the value came from. */
  originOf(path: Path): Origin
  /** Where to point for a problem with the path: its origin, or the nearest part above it that the file has. */
  positionOf(path: Path): Origin
}

interface Override {
  readonly target: Target
  readonly text: string
  readonly origin: Origin
}

export function layer(file: SourceFile | undefined, env: NodeJS.ProcessEnv, flags: ConfigFlags): Layered {
  const tree: Tree = file ? structuredClone(file.tree) : {version: 1}
  const targets = listTargets(configJsonSchema(), tree).filter(({schema}) => !schema.fixed)
  const fromEnv = envOverrides(targets, env)
  const fromFlags = flagOverrides(targets, env, flags, cassandraNames(tree))
  const origins = new Map<string, Origin>()
  for (const {target, text, origin} of [...fromEnv.overrides, ...fromFlags.overrides]) {
    setIn(tree, target.path, fromText(text, target.schema))
    origins.set(pathKey(target.path), origin)
  }
  const implicit = getIn(tree, ['sinks', IMPLICIT_CASSANDRA])
  // Not in the file: a setting of it from outside is enough.
  if (isTree(implicit) && !file?.has(['sinks', IMPLICIT_CASSANDRA])) implicit.kind = 'cassandra'
  return {
    tree,
    problems: [...fromEnv.problems, ...fromFlags.problems],
    originOf: (path) => overridden(origins, path) ?? (file?.has(path) ? file.originOf(path) : {kind: 'default'}),
    positionOf: (path) => overridden(origins, path) ?? file?.originOf(path) ?? {kind: 'default'},
  }
}

function pathKey(path: Path): string {
  return JSON.stringify(path)
}

/** An override of the path itself, or of the list that it is an element of. */
function overridden(origins: ReadonlyMap<string, Origin>, path: Path): Origin | undefined {
  return origins.get(pathKey(path)) ?? (typeof path.at(-1) === 'number' ? origins.get(pathKey(path.slice(0, -1))) : undefined)
}

function envOverrides(targets: readonly Target[], env: NodeJS.ProcessEnv): {overrides: Override[]; problems: Problem[]} {
  const overrides: Override[] = []
  const problems: Problem[] = []
  const names = new Set(targets.map((target) => target.env))
  for (const [name, text] of Object.entries(env)) {
    if (!text || !names.has(name)) {
      const suggestion = text ? unknownVariable(name, [...names]) : undefined
      if (suggestion) problems.push(suggestion)
      continue
    }
    const origin: Origin = {kind: 'env', name}
    const [target, ...others] = targets.filter((candidate) => candidate.env === name)
    if (!target) continue
    if (others.length === 0) overrides.push({target, text, origin})
    else problems.push(ambiguous(name, [target, ...others], origin))
  }
  return {overrides, problems}
}

/** A variable that is nearly one of ours is worth a warning; others belong to somebody else. */
function unknownVariable(name: string, names: readonly string[]): Problem | undefined {
  if (!name.startsWith('COINPIPE_') || SHORTCUTS.some((shortcut) => shortcut.env === name)) return undefined
  const prefix = SECTION_PREFIXES.find((section) => name.startsWith(section))
  if (prefix === undefined) return undefined
  const suggestion = didYouMean(name, names)
  return {
    severity: 'warning',
    path: name,
    saw: 'a variable that sets nothing',
    allowed: 'the name of a setting that the config has',
    ...(suggestion === undefined ? {} : {suggestion}),
    origin: {kind: 'env', name},
  }
}

const SECTION_PREFIXES = ['BUS', 'GROUPS', 'TOPICS', 'SINKS', 'PIPELINES', 'AGGREGATE', 'SERVE', 'SPILL', 'LOG'].map(
  (section) => `COINPIPE_${section}_`,
)

function ambiguous(name: string, targets: readonly Target[], origin: Origin): Problem {
  const displays = targets.map((target) => target.display).join(' and ')
  return {severity: 'error', path: name, saw: `a name that stands for ${displays}`, allowed: '--set with the full path', origin}
}

function flagOverrides(
  targets: readonly Target[],
  env: NodeJS.ProcessEnv,
  flags: ConfigFlags,
  cassandraSinks: readonly string[],
): {overrides: Override[]; problems: Problem[]} {
  const overrides: Override[] = cassandraOverrides(targets, env, flags.cassandra, cassandraSinks)
  const problems: Problem[] = []
  for (const shortcut of SHORTCUTS) {
    const {text, origin} = shortcutValue(shortcut, env, flags)
    const target = targets.find((candidate) => candidate.display === shortcut.path)
    if (text && target) overrides.push({target, text, origin})
  }
  for (const assignment of flags.set ?? []) {
    const result = parseAssignment(assignment, targets)
    if ('severity' in result) problems.push(result)
    else overrides.push(result)
  }
  return {overrides, problems}
}

/** None where it is open which sink they are for: whoever asks for its settings then says so. */
function cassandraOverrides(
  targets: readonly Target[],
  env: NodeJS.ProcessEnv,
  flags: CassandraFlags | undefined,
  sinks: readonly string[],
): Override[] {
  const sink = flags?.sink ?? (sinks.length === 1 ? sinks[0] : undefined)
  return (flags?.settings ?? []).flatMap(({flag, key, text}) => {
    const target = targets.find(({display}) => display === `sinks.${sink}.${key}`)
    return target ? [{target, text, origin: flagOrigin(flag, text, env)}] : []
  })
}

/** The command line may have filled a flag from its variable: then the variable is where the value came from. */
function flagOrigin(flag: string, text: string, env: NodeJS.ProcessEnv): Origin {
  const name = envName(flag)
  return env[name] === text ? {kind: 'env', name} : {kind: 'flag', name: `--${flag}`}
}

/** The same for the flags that are short for a setting of the bus; their variables count for every command. */
function shortcutValue(
  shortcut: (typeof SHORTCUTS)[number],
  env: NodeJS.ProcessEnv,
  flags: ConfigFlags,
): {text: string | undefined; origin: Origin} {
  const given = flags[shortcut.flag]
  const variable = env[shortcut.env]
  if (given !== undefined && given !== variable) return {text: given, origin: {kind: 'flag', name: shortcut.name}}
  return {text: variable, origin: {kind: 'env', name: shortcut.env}}
}

function parseAssignment(assignment: string, targets: readonly Target[]): Override | Problem {
  const origin: Origin = {kind: 'flag', name: '--set'}
  const equals = assignment.indexOf('=')
  const path = equals < 0 ? assignment : assignment.slice(0, equals)
  if (equals < 0)
    return {severity: 'error', path: '--set', saw: quote(assignment), allowed: 'path=value, for example serve.port=8080', origin}
  const target = targets.find((candidate) => candidate.display === path)
  if (target) return {target, text: assignment.slice(equals + 1), origin}
  const suggestion = didYouMean(
    path,
    targets.map((candidate) => candidate.display),
  )
  return {
    severity: 'error',
    path,
    saw: 'a path that is no setting',
    allowed: 'the path of a setting; entries of groups, sinks and pipelines are added in the file',
    ...(suggestion === undefined ? {} : {suggestion}),
    origin,
  }
}
