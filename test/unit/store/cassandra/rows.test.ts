import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {CoinRecord, Product} from '../../../../src/lib/core/records.ts'
import {RECORD_TYPES, type RecordType} from '../../../../src/lib/core/records.ts'
import {CassandraRecordError} from '../../../../src/lib/store/cassandra/errors.ts'
import {arbitraryRecord} from '../../../helpers/arbitrary-records.ts'
import {insertTables, rowEncoder, valuesOf} from '../../../helpers/encoded-rows.ts'
import {book, candle, gap, T0, ticker, trade} from '../../../helpers/market-records.ts'

const encoder = rowEncoder()
const encode = (record: CoinRecord) => valuesOf(encoder.encode(record))

function product(fields: Partial<Product> = {}): Product {
  return {
    type: 'product',
    id: 'product:123:abc',
    eventTime: T0,
    receivedTime: T0 + 1,
    pid: '123',
    price: '15000',
    title: 'A bicycle',
    description: null,
    condition: 'used',
    categoryPath: 'A>B',
    category1: 'A',
    category2: 'B',
    category3: null,
    category4: null,
    images: ['https://example.org/1.jpg', 'https://example.org/2.jpg'],
    errorCause: null,
    scrapedAt: T0,
    ...fields,
  }
}

describe('rows of Cassandra', () => {
  it('hold a trade', () => {
    expect(encode(trade('t-1', {eventTime: T0 + 1_234_567, price: '0.00000099', sequence: '17'}))).toEqual({
      exchange: 'upbit',
      symbol: 'BTC-KRW',
      bucket_hour: T0 / 1000,
      event_time: T0 / 1000 + 1234,
      id: 't-1',
      event_us: T0 + 1_234_567,
      received_us: T0 + 1_237_567,
      price: '0.00000099',
      size: '0.01',
      side: 'buy',
      sequence: '17',
    })
  })

  it('leave out what an event does not have, and write null where a newer state has nothing', () => {
    expect(encode(trade('1')).sequence).toBe('unset')
    expect(encode(product())).toMatchObject({description: 'unset', seller_ref: 'unset', error_cause: 'unset', price: '15000'})
    expect(encode(product({price: null})).price).toBe('unset')
    expect(encode(ticker(T0))).toMatchObject({
      high: null,
      high_basis: null,
      volume_quote_24h: null,
      open: '49000000',
      open_basis: 'utc-day',
    })
    expect(encode(book(T0))).toMatchObject({sequence: null, checksum: null})
    expect(encode(gap(T0))).toMatchObject({to_us: null, from_id: null})
  })

  it('say how new a state is', () => {
    expect(encode(book(T0)).timestamp).toBe(T0)
    expect(encode(ticker(T0 + 5)).timestamp).toBe(T0 + 5)
    expect(encode(candle(T0, 7)).timestamp).toBe(7)
    expect(encode(gap(T0)).timestamp).toBe(T0 + 1)
    expect(encode(trade('1')).timestamp).toBeUndefined()
    expect(valuesOf(encoder.market({exchange: 'upbit', symbol: 'BTC-KRW'}, T0))).toEqual({
      scope: 'all',
      exchange: 'upbit',
      symbol: 'BTC-KRW',
      seen_us: T0,
      timestamp: T0,
      ttl: 'unset',
    })
  })

  it('carry what is left of the TTL where that is asked for', () => {
    const short = rowEncoder({tables: insertTables('hour', true)})
    expect(valuesOf(short.encode(trade('1'), 17)).ttl).toBe(17)
    expect(valuesOf(short.encode(book(T0), 18))).toMatchObject({timestamp: T0, ttl: 18})
  })

  it('keep the best levels of a book', () => {
    const levels = Array.from({length: 20}, (_, i) => [String(100 - i), '1.5'] as const)
    const {bids, asks} = valuesOf(rowEncoder({bookLevels: 3}).encode(book(T0, {bids: levels, asks: []})))
    expect(bids).toEqual([
      ['100', '1.5'],
      ['99', '1.5'],
      ['98', '1.5'],
    ])
    expect(asks).toEqual([])
  })

  it('keep candles of one market apart by interval, origin and day', () => {
    expect(encode(candle(T0, 1))).toMatchObject({
      interval: '1m',
      origin: 'ours',
      start_time: T0 / 1000,
      version: 1,
      closed: true,
      trades: 7,
    })
    const partitions = [
      candle(T0, 1),
      candle(T0, 1, {interval: '5m'}),
      candle(T0, 1, {origin: 'exchange', trades: null}),
      candle(T0 + 10 * 86_400e6, 1),
    ].map((record) => encoder.encode(record).partition)
    expect(new Set(partitions).size).toBe(partitions.length)
  })

  it('of a bucket share a partition, which is encoded once', () => {
    const [first, second, other] = [
      encoder.encode(trade('1')).partition,
      encoder.encode(trade('2', {eventTime: T0 + 3_599_999_999})).partition,
      encoder.encode(trade('3', {eventTime: T0 + 3_600_000_000})).partition,
    ]
    expect(second).toBe(first)
    expect(other).not.toBe(first)
    expect(first.routingKey.toString('hex')).toBe(
      `0005${Buffer.from('upbit').toString('hex')}000007${Buffer.from('BTC-KRW').toString('hex')}000008${(T0 / 1000).toString(16).padStart(16, '0')}00`,
    )
    expect(encoder.encode(product()).partition.routingKey.toString()).toBe('123')
  })

  it('never mix partitions whose keys look alike', () => {
    const one = encoder.encode(book(T0, {exchange: 'a', symbol: 'b:1:c', id: 'book:a:b:1:c:1'})).partition
    const other = encoder.encode(book(T0, {exchange: 'a:5:b', symbol: 'c', id: 'book:a:5:b:c:1'})).partition
    expect(one.routingKey.equals(other.routingKey)).toBe(false)
  })

  it('grow beyond a chunk', () => {
    const long = 'ㄱ'.repeat(400_000)
    expect(encode(product({description: long, images: ['x'.repeat(300_000), 'é']}))).toMatchObject({
      description: long,
      images: ['x'.repeat(300_000), 'é'],
      pid: '123',
    })
    expect(encode(trade('1')).id).toBe('1')
  })

  const refused: readonly (readonly [string, unknown, string])[] = [
    ['a price that is no number', trade('1', {price: 'NaN'}), 'NaN'],
    ['no price', trade('1', {price: null as unknown as string}), 'price is null'],
    ['a negative size', trade('1', {size: '-1'}), 'size'],
    ['a price with too many digits', trade('1', {price: '1'.repeat(21)}), 'at most 20 digits'],
    ['a decimal that is not canonical', trade('1', {price: '1.50'}), '1.50'],
    ['an unknown side', trade('1', {side: 'up' as 'buy'}), "side is 'up'"],
    ['an id that is not made of its key', trade('1', {id: 'trade:upbit:BTC-KRW:2'}), 'is not made of'],
    ['an empty trade id', trade(''), 'tradeId'],
    ['half of a surrogate pair in a key', trade('\ud800'), 'surrogate'],
    ['a trade id longer than a key may be', trade('x'.repeat(65_536)), '65535'],
    ['an empty symbol', trade('1', {symbol: ''}), 'symbol'],
    ['a time that is no integer', trade('1', {eventTime: 1.5}), 'eventTime'],
    ['a time beyond 2^53', trade('1', {eventTime: 2 ** 53}), 'eventTime'],
    ['a negative time', trade('1', {receivedTime: -1}), 'receivedTime'],
    ['a sequence that is no text', trade('1', {sequence: 5 as unknown as string}), 'sequence is 5'],
    ['a delta of a book', book(T0, {kind: 'delta'}), 'whole books'],
    ['levels that are none', book(T0, {bids: [['1'] as unknown as readonly ['1', '1']]}), 'bids'],
    ['an unknown interval', candle(T0, 1, {interval: '2m' as '1m'}), '2m'],
    ['a candle whose id is of another start', candle(T0, 1, {startTime: T0 + 60e6}), 'does not end in its key'],
    ['a ticker without a last price', ticker(T0, {last: null as unknown as string}), 'last is null'],
    ['a ticker with a bare value', ticker(T0, {open: '5' as unknown as null}), 'basis'],
    ['a gap of another channel than its id', gap(T0, {channel: 'book'}), 'does not end in its key'],
    ['a row that is too large', product({description: 'x'.repeat(4_000_000)}), 'more than'],
    ['an id of another type', product({id: 'trade:1'}), 'does not start with its type'],
  ]
  it.each(refused)('refuse %s', (_, record, message) => {
    expect(() => encoder.encode(record as CoinRecord)).toThrow(CassandraRecordError)
    expect(() => encoder.encode(record as CoinRecord)).toThrow(message)
    expect(encode(trade('1')).id).toBe('1')
  })

  it.each(RECORD_TYPES)('hold every %s that is one, and the same each time', (type) => {
    fc.assert(
      fc.property(arbitraryRecord(type), (record) => {
        const fitting = withKey(type, record)
        let values: ReturnType<typeof encode>
        try {
          values = encode(fitting)
        } catch (error) {
          expect(error).toBeInstanceOf(CassandraRecordError)
          return
        }
        expect(encode(fitting)).toEqual(values)
        expect(values).toMatchObject(columnsOf(fitting))
      }),
      {numRuns: 300},
    )
  })
})

/** The random records have keys of any text. */
function withKey(type: RecordType, record: CoinRecord): CoinRecord {
  if (record.type === 'candle') {
    const {interval, startTime, origin} = record
    return {...record, id: `candle:${record.exchange}:${record.symbol}:${interval}:${startTime}${origin === 'exchange' ? ':exchange' : ''}`}
  }
  if (record.type === 'gap') return {...record, id: `gap:${record.exchange}:${record.symbol}:${record.channel}:${record.from}`}
  return type === 'book' ? ({...record, kind: 'top'} as CoinRecord) : record
}

/** Some columns that hold what the record says. */
function columnsOf(record: CoinRecord): object {
  const times = record.type === 'candle' ? {} : {event_us: record.eventTime}
  const common = {...times, received_us: record.receivedTime}
  switch (record.type) {
    case 'trade':
      return {...common, id: record.tradeId, price: record.price, size: record.size, symbol: record.symbol}
    case 'book':
      return {...common, bids: record.bids, asks: record.asks}
    case 'ticker':
      return {...common, last: record.last, change_rate: record.changeRate?.value ?? null, low_basis: record.low?.basis ?? null}
    case 'candle':
      return {...common, close: record.close, trades: record.trades, version: record.version, closed: record.closed}
    case 'gap':
      return {...common, from_us: record.from, to_us: record.to, state: record.state}
    case 'product':
      return {...common, pid: record.pid, condition: record.condition}
    case 'webEvent':
      return {...common, fields: JSON.stringify(record.fields)}
    case 'adClick':
      return {...common, ts: record.ts, ad_id: record.ad_id}
    default:
      return {...common, event: record.event}
  }
}
