import {InvalidInputError} from './errors.ts'
import type {TopicConfig} from './ports/bus.ts'
import type {CoinRecord, MarketChannel} from './records.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export const TOPICS = {
  trade: 'market.trade',
  book: 'market.book',
  ticker: 'market.ticker',
  candle: 'market.candle',
  productRange: 'marketplace.range',
  product: 'marketplace.product',
  webEvent: 'web.event',
  adClick: 'ads.click',
  lifecycle: 'ops.lifecycle',
} as const

export const MARKET_TOPICS: readonly string[] = [TOPICS.trade, TOPICS.book, TOPICS.ticker, TOPICS.candle]

/** Topics whose values are records. */
export const RECORD_TOPICS: readonly string[] = Object.values(TOPICS).filter((topic) => topic !== TOPICS.productRange)

/** Books are the bulk of the traffic, so they are also bounded by size. */
const BOOK_RETENTION_BYTES = 8 * 1024 ** 3
const DEAD_LETTER: TopicConfig = {partitions: 1, retentionMs: 7 * DAY_MS, retentionBytes: null}
const MARKET: TopicConfig = {partitions: 6, retentionMs: DAY_MS, retentionBytes: null}
const OTHER: TopicConfig = {partitions: 3, retentionMs: DAY_MS, retentionBytes: null}

/** What a topic gets when the config says nothing about it (DESIGN: Topics). */
export function defaultTopicConfig(topic: string): TopicConfig {
  if (topic.endsWith('.dlq')) return DEAD_LETTER
  if (topic === TOPICS.book)
    return {...MARKET, retentionMs: 6 * HOUR_MS, retentionBytes: BOOK_RETENTION_BYTES, settings: {'compression.type': 'zstd'}}
  return topic.startsWith('market.') ? MARKET : OTHER
}

/** The topic of a market channel, where its gaps travel too, so that they keep their place among the records they are about. */
export function channelTopic(channel: MarketChannel): string {
  return TOPICS[channel]
}

/** The topic that a record is published to. */
export function recordTopic(record: CoinRecord): string {
  return record.type === 'gap' ? channelTopic(record.channel) : TOPICS[record.type]
}

/** Where records go that a sink of `group` refused. */
export function sinkDeadLetterTopic(topic: string, group: string): string {
  return `${topic}.${group}.dlq`
}

/** Where frames go that never became records. */
export function frameDeadLetterTopic(exchange: string): string {
  return `ingest.${exchange}.dlq`
}

const TOPIC_NAME = /^[A-Za-z0-9._-]{1,249}$/

/** Kafka's rule for topic names, kept on every bus. */
export function checkTopicName(topic: string): void {
  if (TOPIC_NAME.test(topic) && topic !== '.' && topic !== '..') return
  throw new InvalidInputError(`topic name '${topic}' is not allowed: 1 to 249 letters, digits, dots, dashes or underscores`, {
    remedy: [`use a name such as '${TOPICS.trade}'`],
  })
}
