/**
 * The names that a config may use, and which of them this version can run. The rooms hold the implementations; a test compares the two, so
 * that config stays free of imports from rooms.
 */

import {TOPICS} from '../core/topics.ts'

/** Every exchange id that coinpipe plans for, so that one of them is told apart from a slip. */
const EXCHANGE_IDS = [
  'upbit',
  'bithumb',
  'coinone',
  'korbit',
  'gopax',
  'binance',
  'binance-us',
  'coinbase',
  'okx',
  'kraken',
  'bybit',
  'bitfinex',
] as const

/** Exchanges with a feed in this version. */
export const EXCHANGES = ['upbit'] as const

/** Exchanges that a later version brings. */
export const LATER_EXCHANGES: readonly string[] = EXCHANGE_IDS.filter((id) => !(EXCHANGES as readonly string[]).includes(id))

/** Sinks that a later version brings. */
export const LATER_SINK_KINDS: readonly string[] = ['postgres', 'mysql', 'elasticsearch', 'hdfs', 'files', 'bigquery']

/** Consistency levels of Cassandra; `any` is for writes only. */
export const READ_CONSISTENCIES = ['one', 'local_one', 'two', 'three', 'quorum', 'local_quorum', 'each_quorum', 'all'] as const
export const CONSISTENCIES = ['any', ...READ_CONSISTENCIES] as const

/** How much time a partition of a Cassandra table may hold. */
export const BUCKETS = ['hour', 'day'] as const

export const CHANNELS = ['trade', 'book', 'ticker', 'candle'] as const

export const TOPIC_NAMES = Object.values(TOPICS)
