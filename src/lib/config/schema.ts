/**
 * The shape of coinpipe.yaml. Every key has a description: docs/config.md and the JSON schema that editors use are generated from here.
 * What one key allows is checked here; what keys say together is checked in rules.ts.
 */

import {z} from 'zod'
import {CANDLE_INTERVALS, type CandleInterval} from '../core/records.ts'
import {cassandraSink} from './cassandra-sink.ts'
import {CHANNELS, EXCHANGES, TOPIC_NAMES} from './catalogue.ts'
import {FIXED_META, type JsonSchema} from './json-schema.ts'
import {SECRET_FORMS} from './secrets.ts'
import {tlsOf} from './tls.ts'
import {
  ALL,
  duration,
  durationOrForever,
  hostPort,
  name,
  nonEmpty,
  SECRET_META,
  secret,
  size,
  sizeOrUnlimited,
  symbol,
  symbolOrAll,
  url,
  whole,
} from './values.ts'

const topicName = z.enum(TOPIC_NAMES)

const sasl = z
  .strictObject({
    mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).describe('How the brokers check the password.'),
    username: nonEmpty('a user name').describe('User name.'),
    password: secret().meta({...SECRET_META, description: `Password: ${SECRET_FORMS}.`}),
  })
  .describe('User name and password for Kafka brokers that ask for them.')

const compression = () => z.enum(['none', 'gzip', 'snappy', 'lz4', 'zstd'])

const bus = z
  .strictObject({
    kind: z.enum(['embedded', 'kafka']).default('embedded').describe('The log that records travel on: `embedded` is a file in `dataDir`.'),
    brokers: z.array(hostPort()).default([]).describe('Kafka brokers to start from, as `host:port`.'),
    client: z.enum(['platformatic', 'kafkajs']).default('platformatic').describe('Kafka driver.'),
    acks: z
      .literal([0, 1, 'all'])
      .default(1)
      .describe('Kafka brokers that must have a record before it counts as published: none, the leader, or all in-sync replicas.'),
    durable: z
      .boolean()
      .default(false)
      .describe('Kafka only: `acks: all` and idempotent writes, so that no acknowledged record is lost when one broker dies.'),
    replicas: whole(1, 9).optional().describe('Kafka only: copies of each partition of a new topic. Default: 2, or 3 with `durable`.'),
    compression: compression().default('lz4').describe('Kafka only: how batches are compressed, where the topic does not say.'),
    linger: duration().prefault('5ms').describe('Kafka only: longest wait for more records to send together.'),
    batchSize: size().prefault('1MiB').describe('Kafka only: most bytes of one partition in one request.'),
    deliveryTimeout: duration()
      .prefault('30s')
      .describe('Kafka only: how long a record is tried before the publish counts as failed; sources then spill to disk and go on trying.'),
    requestTimeout: duration().prefault('10s').describe('Kafka only: how long a broker may take to answer.'),
    sessionTimeout: duration().prefault('10s').describe('Kafka only: a silent group member is out after this long.'),
    transactionTimeout: duration().prefault('60s').describe('Kafka only: the broker aborts a transaction that is open for longer.'),
    clientId: name().default('coinpipe').describe("Kafka only: how we are called in the brokers' logs and quotas."),
    tls: tlsOf('Kafka brokers').optional(),
    sasl: sasl.optional(),
  })
  .prefault({})
  .describe('The bus between sources and sinks.')

const topic = z.strictObject({
  partitions: whole(1, 10_000).optional().describe('Number of partitions. Default: 6 for `market.*`, else 3.'),
  retention: durationOrForever()
    .optional()
    .describe('How long records are kept: a duration, or `forever`. Default: 24h; 6h for `market.book`.'),
  retentionBytes: sizeOrUnlimited()
    .optional()
    .describe('Most bytes kept, all partitions together: a size, or `unlimited`. Default: unlimited; 8GiB for `market.book`.'),
  replicas: whole(1, 9).optional().describe('Kafka only: copies of each partition. Default: `bus.replicas`.'),
  minInsyncReplicas: whole(1, 9)
    .optional()
    .describe('Kafka only: copies that must be in sync for a write with `acks: all`. Default: 1, or 2 with `bus.durable`.'),
  uncleanLeaderElection: z
    .boolean()
    .optional()
    .describe(
      'Kafka only: lets a copy lead that is behind, where no other is left: records are lost. Default: what the brokers have (false).',
    ),
  compression: compression()
    .optional()
    .describe('Kafka only: how batches are compressed. Default: `bus.compression`; zstd for `market.book`.'),
  pin: z
    .record(name(), whole(0, 9_999))
    .default({})
    .describe('Symbol group → partition. Symbols in no pinned group spread over the partitions that nothing is pinned to.'),
})

const storeRetention = z
  .strictObject({
    trades: duration().prefault('24h').describe('How long trades are kept, by when they were stored.'),
    maxTrades: whole(1, 1_000_000_000).default(20_000_000).describe('Most trades kept, whatever their age; about 110 bytes each.'),
    candles: z
      .strictObject({
        '1s': duration().prefault('3h'),
        '1m': duration().prefault('7d'),
        '5m': duration().prefault('30d'),
        '15m': duration().prefault('90d'),
        '1h': duration().prefault('365d'),
        '4h': duration().prefault('1460d'),
        '1d': duration().prefault('7300d'),
      } satisfies Record<CandleInterval, z.ZodType>)
      .prefault({})
      .describe('How long candles of each interval are kept, back from the newest of the market.'),
    gaps: duration().prefault('30d').describe('How long gaps are kept.'),
  })
  .prefault({})
  .transform(({trades, maxTrades, candles, gaps}) => ({tradesMs: trades, maxTrades, candlesMs: candles, gapsMs: gaps}))

const storeSink = z
  .strictObject({
    kind: z.literal('store').meta({...FIXED_META, description: 'The embedded store, a file in `dataDir`.'}),
    retention: storeRetention.describe('What the store keeps.'),
  })
  .describe('The embedded store.')

const sink = z.discriminatedUnion('kind', [storeSink, cassandraSink])

/** The exchange sends no candles of a day over its websocket. */
const EXCHANGE_INTERVALS = ['1s', '1m', '5m', '15m', '1h', '4h'] as const satisfies readonly CandleInterval[]

const SYMBOLS = 'one symbol or more, such as BTC-KRW, or [all]'

const source = z.strictObject({
  kind: z.literal('exchange').describe('An exchange, over its websocket.'),
  exchange: z.enum(EXCHANGES).describe('Exchange id.'),
  channels: z
    .array(z.enum(CHANNELS))
    .min(1, {error: `one or more of ${CHANNELS.join(', ')}`})
    .describe('What to subscribe to.'),
  symbols: z
    .preprocess((symbols) => (symbols === ALL ? [ALL] : symbols), z.array(symbolOrAll()).min(1, {error: SYMBOLS}))
    .transform((symbols) => (symbols.length === 1 && symbols[0] === ALL ? ALL : symbols))
    .describe('Which markets, for example `[BTC-KRW, ETH-KRW]`; `[all]` is every market that the exchange lists.'),
  quotes: z
    .array(z.enum(['KRW', 'BTC', 'USDT']))
    .min(1, {error: 'one or more of KRW, BTC, USDT'})
    .optional()
    .describe('With `[all]`: only markets priced in these.'),
  url: url(['ws', 'wss'], 'wss://api.upbit.com/websocket/v1').optional().describe("Websocket address in place of the exchange's own."),
  restUrl: url(['http', 'https'], 'https://api.upbit.com')
    .optional()
    .describe('REST address. Default: the origin of `url` where that is set, else that of the exchange.'),
  format: z.enum(['DEFAULT', 'SIMPLE', 'JSON_LIST', 'SIMPLE_LIST']).default('SIMPLE').describe("Upbit's wire format."),
  depth: z.literal([1, 5, 15, 30]).optional().describe('Levels of each order book on either side. Default: as many as the exchange sends.'),
  candleIntervals: z
    .array(z.enum(EXCHANGE_INTERVALS))
    .min(1, {error: `one or more of ${EXCHANGE_INTERVALS.join(', ')}`})
    .default(['1m'])
    .describe("For channel `candle`: which of the exchange's own candles."),
  connections: whole(1, 32).optional().describe('Websocket connections that share the symbols. Default: as many as they need.'),
  redundancy: whole(1, 4).default(1).describe('Connections that carry the same symbols; what arrives twice is left out by id.'),
})

const pipeline = z.strictObject({
  name: name().meta({...FIXED_META, description: 'Unique name; consumer groups are named after it.'}),
  source: source.optional().describe('Where records come from. Without it the pipeline only reads `topics`.'),
  topics: z
    .array(topicName)
    .min(1, {error: `one or more of ${TOPIC_NAMES.join(', ')}`})
    .optional()
    .describe("Topics that the sinks read. Default: those of the source's channels, and `market.candle` where candles are built."),
  sinks: z.array(name()).default([]).describe('Names of sinks. None: records stay on the bus.'),
})

const candles = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Whether `coinpipe up` builds candles from trades.'),
    intervals: z
      .array(z.enum(CANDLE_INTERVALS))
      .min(1, {error: `one or more of ${CANDLE_INTERVALS.join(', ')}`})
      .default([...CANDLE_INTERVALS])
      .describe('Which candles.'),
  })
  .prefault({})
  .describe('Candles.')

export const configSchema = z
  .strictObject({
    version: z.literal(1).meta({...FIXED_META, description: 'Version of this format.'}),
    dataDir: nonEmpty('a folder')
      .optional()
      .describe("Folder of the embedded log, the store and the spill; relative to the working directory. Default: the user's data folder."),
    bus,
    groups: z
      .record(name(), z.array(symbol()).min(1, {error: 'one symbol or more, such as BTC-KRW'}).describe('Symbols of the group.'))
      .default({})
      .describe('Named groups of symbols, for `pin`. A symbol is in one group at most.'),
    topics: z.partialRecord(topicName, topic).default({}).describe('Settings by topic. A topic that is not listed has the defaults.'),
    sinks: z.record(name(), sink).default({}).describe('Where records land, by a name that pipelines use.'),
    pipelines: z.array(pipeline).default([]).describe('Source → topics → sinks.'),
    aggregate: z.strictObject({candles}).prefault({}).describe('What is worked out from records on the bus.'),
    serve: z
      .strictObject({
        host: nonEmpty('a host name or address').default('127.0.0.1').describe('Address that the live page listens on.'),
        port: whole(0, 65_535).default(8790).describe('Port of the live page; 0 takes a free one.'),
      })
      .prefault({})
      .describe('The live page, `/metrics` and `/healthz`.'),
    spill: z
      .strictObject({
        maxBytes: size().prefault('1GiB').describe('Most bytes on disk for each source; when full, the source is slowed down.'),
      })
      .prefault({})
      .describe('Where records wait on disk while the bus is down.'),
    log: z
      .strictObject({
        level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info').describe('Least important lines to log.'),
        format: z.enum(['auto', 'pretty', 'json']).default('auto').describe('`auto`: pretty on a terminal, JSON otherwise.'),
      })
      .prefault({})
      .describe('Log lines on stderr.'),
  })
  .describe('coinpipe.yaml')

/** The config as the file has it, after checking and defaults per key; durations are milliseconds, sizes bytes. */
export type FileConfig = Omit<z.output<typeof configSchema>, 'topics'> & {
  readonly topics: Readonly<Record<string, z.output<typeof topic>>>
}

/** The schema of what may be written in the file. */
export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, {io: 'input'}) as JsonSchema
}
