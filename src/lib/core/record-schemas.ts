/**
 * What records from outside have to look like, for the edges only (`produce`, files of others): core/codec.ts checks far less and is fast.
 * Unknown fields are refused, for nobody would see them again. Types of these schemas and of core/records.ts agree, by test.
 */
import {z} from 'zod'
import {isCanonicalDecimal} from './decimal.ts'
import {recordId} from './ids.ts'
import {CANDLE_INTERVALS, type CoinRecord, PRODUCT_ERROR_CAUSES} from './records.ts'

const decimal = z.string().refine(isCanonicalDecimal, 'must be a canonical decimal such as 0.00000099: no exponent, no trailing zeros')
const notNegative = decimal.refine((text) => !text.startsWith('-'), 'must not be below 0')
const positive = notNegative.refine((text) => text !== '0', 'must be above 0')
const micros = z.int().nonnegative()
const text = z.string().min(1)
const flatFields = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))

/** Fields that every record has, besides its type. */
const envelope = {id: text, eventTime: micros, receivedTime: micros}
const market = {...envelope, exchange: z.string().regex(/^[a-z][a-z0-9-]*$/), symbol: z.string().regex(/^[A-Z0-9]+(?:-[A-Z0-9]+){1,2}$/)}
const level = z.tuple([positive, notNegative]).readonly()
const based = z.strictObject({value: decimal, basis: z.enum(['utc-day', 'kst-day', 'rolling-24h'])}).nullable()

const trade = z.strictObject({
  type: z.literal('trade'),
  ...market,
  price: positive,
  size: notNegative,
  side: z.enum(['buy', 'sell']),
  tradeId: text,
  sequence: text.exactOptional(),
})

const book = z.strictObject({
  type: z.literal('book'),
  ...market,
  kind: z.enum(['snapshot', 'delta', 'top']),
  bids: z.array(level).readonly(),
  asks: z.array(level).readonly(),
  sequence: text.exactOptional(),
  checksum: text.exactOptional(),
})

const ticker = z.strictObject({
  type: z.literal('ticker'),
  ...market,
  last: positive,
  open: based,
  high: based,
  low: based,
  changeRate: based,
  volumeBase24h: notNegative.nullable(),
  volumeQuote24h: notNegative.nullable(),
})

const candle = z.strictObject({
  type: z.literal('candle'),
  ...market,
  interval: z.enum(CANDLE_INTERVALS),
  startTime: micros,
  open: positive,
  high: positive,
  low: positive,
  close: positive,
  volumeBase: notNegative,
  volumeQuote: notNegative,
  trades: z.int().nonnegative().nullable(),
  closed: z.boolean(),
  version: z.int().nonnegative(),
  origin: z.enum(['ours', 'exchange']),
})

const gap = z.strictObject({
  type: z.literal('gap'),
  ...market,
  channel: z.enum(['trade', 'book', 'ticker', 'candle']),
  reason: text,
  from: micros,
  to: micros.nullable(),
  fromId: text.exactOptional(),
  toId: text.exactOptional(),
  state: z.enum(['open', 'filled', 'unfillable']),
  filled: z.int().nonnegative(),
})

const product = z.strictObject({
  type: z.literal('product'),
  ...envelope,
  pid: z.string().regex(/^\d+$/),
  price: notNegative.refine((value) => !value.includes('.'), 'must be whole won').nullable(),
  title: z.string().nullable(),
  description: z.string().nullable(),
  condition: z.enum(['used', 'new', 'unknown']),
  categoryPath: z.string().nullable(),
  category1: z.string().nullable(),
  category2: z.string().nullable(),
  category3: z.string().nullable(),
  category4: z.string().nullable(),
  images: z.array(z.string()).readonly(),
  sellerRef: text.exactOptional(),
  verifiedBy: text.exactOptional(),
  errorCause: z.enum(PRODUCT_ERROR_CAUSES).nullable(),
  scrapedAt: micros,
})

const webEvent = z.strictObject({type: z.literal('webEvent'), ...envelope, name: text, fields: flatFields})

const adClick = z.strictObject({
  type: z.literal('adClick'),
  ...envelope,
  ad_id: text,
  event_id: text,
  ts: z.int().nonnegative(),
  user_id: text,
  ip: text,
  country: z.string(),
})

const lifecycle = z.strictObject({
  type: z.literal('lifecycle'),
  ...envelope,
  component: text,
  event: z.enum(['start', 'progress', 'fail', 'finish', 'alert']),
  message: z.string(),
  details: flatFields.exactOptional(),
})

/** A market record's id names what it is of, and a trade's ends in its trade id: core/codec.ts relies on it, and stores find trades by it. */
function idMatches(record: CoinRecord): boolean {
  if (record.type === 'trade') return record.id === recordId('trade', record.exchange, record.symbol, record.tradeId)
  return !('symbol' in record) || record.id.startsWith(recordId(record.type, record.exchange, record.symbol, ''))
}

/** Any record. */
export const recordSchema = z
  .discriminatedUnion('type', [trade, book, ticker, candle, gap, product, webEvent, adClick, lifecycle])
  .refine(idMatches, {path: ['id'], message: 'must be type:exchange:symbol:key, where the key of a trade is its tradeId'})
