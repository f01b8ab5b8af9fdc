/**
 * Flags that more than one command takes, each defined once, so that a flag means the same everywhere.
 * The environment variable of `--some-flag` is `COINPIPE_SOME_FLAG`, without exception; a test holds every command to that.
 */

import {Flags} from '@oclif/core'
import {formatDuration, parseDuration} from '../core/duration.ts'
import {InvalidInputError} from '../core/errors.ts'
import {LOG_FORMATS, LOG_LEVELS} from '../observability/logger.ts'

/** Timers hold no more; longer runs need no limit. */
const LONGEST_RUN_MS = 2 ** 31 - 1

/** A flag whose value is a duration, read as milliseconds. */
export const duration = Flags.custom<number>({
  helpValue: '<duration>',
  parse: async (text) => parseDuration(text),
  defaultHelp: async ({options}) => (typeof options.default === 'number' ? formatDuration(options.default) : undefined),
})

/** Every command takes these. */
export const commonFlags = {
  json: Flags.boolean({
    summary: 'Print the answer, or the error, as one line of JSON on stdout.',
    env: 'COINPIPE_JSON',
    helpGroup: 'GLOBAL',
  }),
  'log-level': Flags.option({
    summary: 'Least severe log messages to print on stderr.',
    options: LOG_LEVELS,
    default: 'info' as const,
    env: 'COINPIPE_LOG_LEVEL',
    helpGroup: 'GLOBAL',
  })(),
  'log-format': Flags.option({
    summary: 'Log lines for people (pretty) or programs (json); auto is pretty on a terminal.',
    options: LOG_FORMATS,
    default: 'auto' as const,
    env: 'COINPIPE_LOG_FORMAT',
    helpGroup: 'GLOBAL',
  })(),
  'data-dir': Flags.directory({
    summary: 'Folder of the embedded log, store and spill; default: a folder of the user.',
    env: 'COINPIPE_DATA_DIR',
    helpGroup: 'GLOBAL',
  }),
}

/** Every endless command takes these. */
export const endlessFlags = {
  for: duration({
    summary: 'Stop after this long, drained, with exit code 0.',
    env: 'COINPIPE_FOR',
    parse: async (text) => {
      const ms = parseDuration(text)
      if (ms <= LONGEST_RUN_MS) return ms
      throw new InvalidInputError(`'${text}' is too long`, {remedy: ['at most 24d; leave the flag away to run without an end']})
    },
  }),
  count: Flags.integer({summary: 'Stop after this many records, drained, with exit code 0.', min: 1, env: 'COINPIPE_COUNT'}),
  'drain-timeout': duration({
    summary: 'How long stopping may take before the process leaves with exit code 130.',
    default: 30_000,
    env: 'COINPIPE_DRAIN_TIMEOUT',
  }),
}

/** Every endless command without a page takes these. */
export const metricsFlags = {
  'metrics-port': Flags.integer({
    summary: 'Serve /metrics, /healthz and /readyz on this port; 0 takes any free one, which the log names. Default: no port.',
    min: 0,
    max: 65_535,
    helpValue: '<port>',
    env: 'COINPIPE_METRICS_PORT',
  }),
  'metrics-host': Flags.string({
    summary: 'Address of that port; the default is this machine only.',
    default: '127.0.0.1',
    helpValue: '<address>',
    env: 'COINPIPE_METRICS_HOST',
  }),
}

/** Every command that takes something away asks first, unless this is given. */
export const yesFlag = {
  yes: Flags.boolean({char: 'y', summary: 'Do not ask; needed where there is no terminal to ask on.', env: 'COINPIPE_YES'}),
}

/** Commands about clusters that exist take it. */
export const clusterFlag = {
  cluster: Flags.string({
    summary: 'Name of the cluster; default: the only one there is.',
    helpValue: '<name>',
    env: 'COINPIPE_CLUSTER',
  }),
}

/** Commands that fetch servers take it. */
export const cacheFlag = {
  'cache-dir': Flags.directory({
    summary: 'Folder of the jars and programs that servers run, fetched once; default: a folder of the user.',
    env: 'COINPIPE_CACHE_DIR',
  }),
}
