import {existsSync} from 'node:fs'
import type {TopicConfig} from '../core/ports/bus.ts'
import {defaultTopicConfig, MARKET_TOPICS} from '../core/topics.ts'
import {effectiveTree, listSettings, type Setting} from './effective.ts'
import {ConfigInvalidError} from './errors.ts'
import {readSourceFile} from './file.ts'
import {type ConfigFlags, type Layered, layer} from './layers.ts'
import {getIn, setIn, type Tree} from './path.ts'
import type {Origin, Problem} from './problem.ts'
import {topicReplication} from './replication.ts'
import {checkRules} from './rules.ts'
import {configJsonSchema, type FileConfig} from './schema.ts'
import {expandSecret, SECRET_FORMS} from './secrets.ts'
import {listTargets} from './targets.ts'
import {validate} from './validate.ts'

/** The file that is read where none is named, from the working directory. */
export const DEFAULT_CONFIG_FILE = 'coinpipe.yaml'

export interface LoadOptions {
  /** File to read. Without it `coinpipe.yaml` of the working directory where there is one, else defaults, environment and flags alone. */
  readonly path?: string | undefined
  readonly env: NodeJS.ProcessEnv
  readonly flags?: ConfigFlags
  /** What `dataDir` is when nothing sets it. */
  readonly defaultDataDir: string
}

interface TopicSettings extends TopicConfig {
  /** Partition of each pinned group. */
  readonly pin: Readonly<Record<string, number>>
}

/** What a run goes by: complete, checked, frozen. Durations are milliseconds, sizes bytes. */
export type Config = Readonly<Omit<FileConfig, 'dataDir' | 'topics'>> & {
  readonly dataDir: string
  /** The market topics, and others that the file names. */
  readonly topics: Readonly<Record<string, TopicSettings>>
}

export interface LoadedConfig {
  readonly config: Config
  /** Worth a look, but no reason not to run. */
  readonly warnings: readonly Problem[]
  /** The file that was read, if any. */
  readonly file: string | undefined
  /** Every setting in force, in the words of the file, secrets masked. */
  readonly settings: readonly (Setting & {readonly origin: Origin})[]
  /** Where the value at a path such as `bus.kind` or `topics.market.trade.retention` came from. */
  origin(path: string): Origin
}

export interface CheckedConfig {
  readonly file: string | undefined
  /** Errors and warnings, as they stand in the file. */
  readonly problems: readonly Problem[]
  /** Undefined where there is an error. */
  readonly loaded: LoadedConfig | undefined
}

/** The config to run with. Throws ConfigInvalidError with every problem there is, ConfigFileError where the file cannot be read. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const {loaded, problems} = await checkConfig(options)
  if (loaded) return loaded
  throw new ConfigInvalidError(problems)
}

/** Reads and checks; connects to nothing. Problems are an answer; only an unreadable file throws (ConfigFileError). */
export async function checkConfig(options: LoadOptions): Promise<CheckedConfig> {
  const path = options.path ?? (existsSync(DEFAULT_CONFIG_FILE) ? DEFAULT_CONFIG_FILE : undefined)
  const file = path === undefined ? undefined : await readSourceFile(path)
  if (file && file.problems.length > 0) return {file: path, problems: file.problems, loaded: undefined}
  const layered = layer(file, options.env, options.flags ?? {})
  const secrets = await expandSecrets(layered, options.env, path)
  const expanded: Layered = {...layered, tree: secrets.tree}
  const {config, tree, problems: byKey} = validate(expanded)
  const together = config ? checkRules({config, layered: expanded, tree}) : []
  // A value that is refused for its `${…}` need not be refused again for what that is not.
  const refused = new Set(secrets.problems.map((problem) => problem.path))
  const others = [...byKey, ...together].filter((problem) => !refused.has(problem.path))
  const problems = inOrder([...layered.problems, ...secrets.problems, ...others])
  if (!config || problems.some((problem) => problem.severity === 'error')) return {file: path, problems, loaded: undefined}
  return {file: path, problems, loaded: complete(config, layered, problems, path, options.defaultDataDir)}
}

/** Those of the file in the order of the file. */
function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => line(a.origin) - line(b.origin))
}

function line(origin: Origin): number {
  return origin.kind === 'file' ? origin.line * 10_000 + origin.column : 0
}

/** Replaces secrets by their text, and refuses `${…}` everywhere else. */
async function expandSecrets(
  layered: Layered,
  env: NodeJS.ProcessEnv,
  file: string | undefined,
): Promise<{tree: Tree; problems: Problem[]}> {
  const tree = structuredClone(layered.tree)
  const problems: Problem[] = []
  for (const {path, display, schema, env: variable} of listTargets(configJsonSchema(), tree)) {
    const value = getIn(tree, path)
    const found = {path: display, origin: layered.positionOf(path)}
    if (typeof value !== 'string') continue
    if (!schema.secret) {
      if (value.includes('${'))
        problems.push({...found, severity: 'error', saw: `'${value}'`, allowed: `a plain value here; set ${variable} instead`})
      continue
    }
    const result = await expandSecret(value, env, file)
    if (!result.ok) problems.push({...found, severity: 'error', saw: result.saw, allowed: `${SECRET_FORMS} that can be read`})
    else setIn(tree, path, result.text)
    if (result.ok && result.clear && found.origin.kind !== 'env') {
      problems.push({...found, severity: 'warning', saw: 'a secret in clear', allowed: SECRET_FORMS})
    }
  }
  return {tree, problems}
}

function complete(
  config: FileConfig,
  layered: Layered,
  warnings: readonly Problem[],
  file: string | undefined,
  defaultDataDir: string,
): LoadedConfig {
  const names = new Set([...MARKET_TOPICS, ...Object.keys(config.topics)])
  const topics = Object.fromEntries([...names].map((name) => [name, topicSettings(name, config)]))
  const {version, dataDir = defaultDataDir, ...rest} = config
  const whole: Config = deepFreeze({version, dataDir, ...rest, topics})
  const settings = listSettings(effectiveTree(whole)).map((setting) => ({...setting, origin: layered.originOf(setting.path)}))
  const origins = new Map(settings.map(({display, origin}) => [display, origin]))
  return {config: whole, warnings, file, settings, origin: (path) => origins.get(path) ?? {kind: 'default'}}
}

/** By Kafka's names. */
function kafkaSettings(name: string, config: FileConfig): Record<string, string> {
  const topic = config.topics[name]
  return {
    'min.insync.replicas': String(topicReplication(config, name).minInsync),
    ...(topic?.uncleanLeaderElection === undefined ? {} : {'unclean.leader.election.enable': String(topic.uncleanLeaderElection)}),
    ...(topic?.compression === undefined ? {} : {'compression.type': topic.compression}),
  }
}

function topicSettings(name: string, config: FileConfig): TopicSettings {
  const settings = config.topics[name]
  const defaults = defaultTopicConfig(name)
  return {
    partitions: settings?.partitions ?? defaults.partitions,
    retentionMs: settings?.retention === undefined ? defaults.retentionMs : settings.retention,
    retentionBytes: settings?.retentionBytes === undefined ? defaults.retentionBytes : settings.retentionBytes,
    replicas: topicReplication(config, name).replicas,
    settings: {...defaults.settings, ...kafkaSettings(name, config)},
    pin: settings?.pin ?? {},
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
