import fc from 'fast-check'
import type {CoinRecord, RecordType} from '../../src/lib/core/records.ts'
import {CANDLE_INTERVALS, PRODUCT_ERROR_CAUSES} from '../../src/lib/core/records.ts'
import {arbitraryText} from './arbitrary-text.ts'

const micros = fc.oneof(
  fc.integer({min: 0, max: 4_000_000_000_000_000}),
  fc.constantFrom(0, 999_999_999_999_999, 1e15, 1_000_000_000_000_001, 1_999_999_999_999_999, 2e15),
)
const text = fc.oneof(fc.stringMatching(/^[A-Za-z0-9:._-]{1,12}$/), arbitraryText(8, 1))
const anyText = arbitraryText(8)
const symbol = fc.constantFrom('BTC-KRW', '1INCH-USDT', 'BTC-USD-PERP', 'BTC-USD-20220527')
const exchange = fc.constantFrom('upbit', 'binance-us')

/** Canonical decimals from 0, or above it. */
const decimalFrom = (min: bigint) =>
  fc.tuple(fc.bigInt({min, max: 10n ** 20n}), fc.integer({min: 0, max: 12})).map(([digits, scale]) => {
    const padded = digits.toString().padStart(scale + 1, '0')
    const fraction = padded.slice(padded.length - scale).replace(/0+$/, '')
    return `${padded.slice(0, padded.length - scale)}${fraction === '' || scale === 0 ? '' : `.${fraction}`}`
  })
const notNegative = decimalFrom(0n)
const positive = decimalFrom(1n)
const signed = fc.tuple(fc.boolean(), notNegative).map(([negative, value]) => (negative && value !== '0' ? `-${value}` : value))
const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, {nil: null})
const based = nullable(fc.record({value: signed, basis: fc.constantFrom('utc-day', 'kst-day', 'rolling-24h')}))
const levels = fc.array(fc.tuple(positive, notNegative), {maxLength: 5})
const flatFields = fc.dictionary(anyText, fc.oneof(anyText, fc.integer(), fc.boolean(), fc.constant(null)), {
  maxKeys: 3,
  noNullPrototype: true,
})

/** The type's own fields; those in `optional` may be left out. */
const FIELDS: Readonly<Record<RecordType, {fields: Record<string, fc.Arbitrary<unknown>>; optional?: readonly string[]; market: boolean}>> =
  {
    trade: {
      market: true,
      fields: {price: positive, size: notNegative, side: fc.constantFrom('buy', 'sell'), tradeId: text, sequence: text},
      optional: ['sequence'],
    },
    book: {
      market: true,
      fields: {kind: fc.constantFrom('snapshot', 'delta', 'top'), bids: levels, asks: levels, sequence: text, checksum: text},
      optional: ['sequence', 'checksum'],
    },
    ticker: {
      market: true,
      fields: {
        last: positive,
        open: based,
        high: based,
        low: based,
        changeRate: based,
        volumeBase24h: nullable(notNegative),
        volumeQuote24h: nullable(notNegative),
      },
    },
    candle: {
      market: true,
      fields: {
        interval: fc.constantFrom(...CANDLE_INTERVALS),
        startTime: micros,
        open: positive,
        high: positive,
        low: positive,
        close: positive,
        volumeBase: notNegative,
        volumeQuote: notNegative,
        trades: nullable(fc.nat()),
        closed: fc.boolean(),
        version: fc.nat(),
        origin: fc.constantFrom('ours', 'exchange'),
      },
    },
    gap: {
      market: true,
      fields: {
        channel: fc.constantFrom('trade', 'book', 'ticker', 'candle'),
        reason: text,
        from: micros,
        to: nullable(micros),
        fromId: text,
        toId: text,
        state: fc.constantFrom('open', 'filled', 'unfillable'),
        filled: fc.nat(),
      },
      optional: ['fromId', 'toId'],
    },
    product: {
      market: false,
      fields: {
        pid: fc.bigInt({min: 0n, max: 2n ** 63n}).map(String),
        price: nullable(fc.nat().map(String)),
        title: nullable(anyText),
        description: nullable(anyText),
        condition: fc.constantFrom('used', 'new', 'unknown'),
        categoryPath: nullable(anyText),
        category1: nullable(anyText),
        category2: nullable(anyText),
        category3: nullable(anyText),
        category4: nullable(anyText),
        images: fc.array(anyText, {maxLength: 2}),
        sellerRef: text,
        verifiedBy: text,
        errorCause: nullable(fc.constantFrom(...PRODUCT_ERROR_CAUSES)),
        scrapedAt: micros,
      },
      optional: ['sellerRef', 'verifiedBy'],
    },
    webEvent: {market: false, fields: {name: text, fields: flatFields}},
    adClick: {market: false, fields: {ad_id: text, event_id: text, ts: fc.nat(), user_id: text, ip: text, country: anyText}},
    lifecycle: {
      market: false,
      fields: {
        component: text,
        event: fc.constantFrom('start', 'progress', 'fail', 'finish', 'alert'),
        message: anyText,
        details: flatFields,
      },
      optional: ['details'],
    },
  }

/** Valid records of one type, with their fields in the order of core/records.ts and texts of every script. */
export function arbitraryRecord(type: RecordType): fc.Arbitrary<CoinRecord> {
  const {fields, optional = [], market} = FIELDS[type]
  const required = Object.keys(fields).filter((name) => !optional.includes(name))
  const own = fc.record(fields, {requiredKeys: required, noNullPrototype: true}) as fc.Arbitrary<Record<string, unknown>>
  return fc.tuple(own, micros, micros, exchange, symbol, text).map(([values, eventTime, receivedTime, exchange, symbol, key]) => {
    const head = market
      ? {type, id: `${type}:${exchange}:${symbol}:${values.tradeId ?? key}`, eventTime, receivedTime, exchange, symbol}
      : {type, id: `${type}:${key}`, eventTime, receivedTime}
    const ordered = Object.keys(fields).filter((name) => Object.hasOwn(values, name))
    return {...head, ...Object.fromEntries(ordered.map((name) => [name, values[name]]))} as unknown as CoinRecord
  })
}
