/** What the settings of a sink of kind `cassandra` say together. */

import {formatDuration} from '../core/duration.ts'
import type {RecordType} from '../core/records.ts'
import type {CassandraSinkConfig} from './cassandra-sink.ts'
import {type Checked, isIntact, problem, type Rule} from './checked.ts'
import type {Path} from './path.ts'
import type {Problem} from './problem.ts'

export const CASSANDRA_RULES: readonly Rule[] = [
  consistencySuffices,
  windowsAreFew,
  bucketsAreFew,
  graceCoversHints,
  deadlineCoversARequest,
  userAndPassword,
]

interface Named {
  readonly sink: CassandraSinkConfig
  readonly path: Path
}

function cassandraSinks({config}: Checked): Named[] {
  return Object.entries(config.sinks).flatMap(([name, sink]) => (sink.kind === 'cassandra' ? [{sink, path: ['sinks', name]}] : []))
}

/** Sinks in which nothing was wrong by itself. */
function eachSink(checked: Checked, rule: (named: Named) => Problem[]): Problem[] {
  return cassandraSinks(checked)
    .filter(({path}) => isIntact(checked, path))
    .flatMap(rule)
}

const LEAST: Readonly<Record<CassandraSinkConfig['consistency'], (replicas: number) => number>> = {
  any: () => 1,
  one: () => 1,
  local_one: () => 1,
  two: () => 2,
  three: () => 3,
  quorum: majority,
  local_quorum: majority,
  each_quorum: majority,
  all: (replicas) => replicas,
}

function majority(replicas: number): number {
  return Math.floor(replicas / 2) + 1
}

/** An answer of more replicas than there are never comes; of as many, only while all of them are up. */
function consistencySuffices(checked: Checked): Problem[] {
  const doubt = ({sink, path}: Named, key: 'consistency' | 'readConsistency', what: string) => {
    const {replicas} = sink
    const least = LEAST[sink[key]](replicas)
    const saw = `${sink[key]}, with replicas: ${replicas}`
    if (least > replicas) return [problem(checked, [...path, key], saw, `a level that ${replicas} of ${replicas} replicas can reach`)]
    if (least < replicas || replicas === 1) return []
    return [
      problem(checked, [...path, key], saw, `a lower level, or more replicas: else one node down stops ${what}`, {severity: 'warning'}),
    ]
  }
  return eachSink(checked, (named) => [...doubt(named, 'consistency', 'writes'), ...doubt(named, 'readConsistency', 'reads')])
}

/** Record types whose tables are compacted by windows of time, and those of them whose partitions hold a bucket of time. */
const WINDOWED: readonly RecordType[] = ['trade', 'product', 'webEvent', 'adClick', 'lifecycle']
const BUCKETED: readonly RecordType[] = ['trade', 'webEvent', 'adClick', 'lifecycle']

/** TTLs of the record types by the setting that says so; null is for ever. */
function ttls({sink}: Named, types: readonly RecordType[]): {readonly key: Path; readonly ttl: number | null}[] {
  const own = types.flatMap((type) => {
    const ttl = sink.ttlOf[type]
    return ttl === undefined ? [] : [{key: ['ttlOf', type], ttl}]
  })
  return own.length === types.length ? own : [{key: ['ttl'], ttl: sink.ttl}, ...own]
}

function ttlText(ttl: number | null): string {
  return ttl === null ? 'forever' : formatDuration(ttl)
}

/** Each window is a file at least: a read of one partition asks all of them. */
const MAX_WINDOWS = 50
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Rows that are kept for ever have as many windows as there will be; longer ones than this are of no use. */
const LONG_WINDOW_MS = 24 * HOUR_MS

function windowsAreFew(checked: Checked): Problem[] {
  return eachSink(checked, (named) => {
    const {window} = named.sink
    return ttls(named, WINDOWED).flatMap(({key, ttl}) => {
      const enough = ttl === null ? LONG_WINDOW_MS : Math.ceil(ttl / MAX_WINDOWS / MINUTE_MS) * MINUTE_MS
      if (window >= enough) return []
      const saw = `${ttlText(ttl)}, with window: ${formatDuration(window)}`
      const allowed = `window: ${formatDuration(enough)} or more: else reads ask more than ${MAX_WINDOWS} windows`
      return [problem(checked, [...named.path, ...key], saw, allowed, {severity: 'warning'})]
    })
  })
}

/** Whoever looks for the newest rows of a quiet market asks partition after partition. */
const MAX_BUCKETS = 100

function bucketsAreFew(checked: Checked): Problem[] {
  return eachSink(checked, (named) => {
    if (named.sink.bucket !== 'hour') return []
    return ttls(named, BUCKETED).flatMap(({key, ttl}) => {
      const buckets = (ttl ?? Number.POSITIVE_INFINITY) / HOUR_MS
      if (buckets <= MAX_BUCKETS) return []
      const saw = `${ttlText(ttl)}, with bucket: hour`
      const allowed = `bucket: day; else each market has ${ttl === null ? 'ever more' : Math.ceil(buckets)} partitions`
      return [problem(checked, [...named.path, ...key], saw, allowed, {severity: 'warning'})]
    })
  })
}

/**
 * How long nodes note what one that is down misses (max_hint_window of cassandra.yaml). A note that is older than gc_grace_seconds of its table is thrown away
 * (Cassandra's class Hint), so less than this loses some. Rows that expired do not come back by it: each replica knows when they do.
 */
const HINTS_MS = 3 * HOUR_MS

function graceCoversHints(checked: Checked): Problem[] {
  return eachSink(checked, ({sink: {gcGrace, replicas}, path}) => {
    if (replicas === 1 || gcGrace >= HINTS_MS) return []
    const allowed = `${formatDuration(HINTS_MS)} or more: else a node that was down for longer than gcGrace misses rows until a repair`
    return [problem(checked, [...path, 'gcGrace'], formatDuration(gcGrace), allowed, {severity: 'warning'})]
  })
}

function deadlineCoversARequest(checked: Checked): Problem[] {
  return eachSink(checked, ({sink: {deadline, requestTimeout}, path}) => {
    if (deadline >= requestTimeout) return []
    return [
      problem(checked, [...path, 'deadline'], formatDuration(deadline), `${formatDuration(requestTimeout)} or more, as requestTimeout`),
    ]
  })
}

function userAndPassword(checked: Checked): Problem[] {
  return eachSink(checked, ({sink: {username, password}, path}) => {
    if ((username === undefined) === (password === undefined)) return []
    const [saw, missing] = username === undefined ? ['a password without a user', 'username'] : ['a user without a password', 'password']
    return [problem(checked, [...path, username === undefined ? 'password' : 'username'], saw, `${missing} too`)]
  })
}
