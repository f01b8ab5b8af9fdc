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

/** Sinks that this version has. */
export const SINK_KINDS = ['store'] as const

/** Sinks that a later version brings. */
export const LATER_SINK_KINDS: readonly string[] = ['cassandra', 'postgres', 'mysql', 'elasticsearch', 'hdfs', 'files', 'bigquery']

export const CHANNELS = ['trade', 'book', 'ticker', 'candle'] as const

export const TOPIC_NAMES = Object.values(TOPICS)
