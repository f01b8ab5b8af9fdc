import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {DecodedFrame} from '../../../../src/lib/exchanges/decoder.ts'
import {createUpbitDecoder} from '../../../../src/lib/exchanges/upbit/frames.ts'
import {arbitraryText} from '../../../helpers/arbitrary-text.ts'

const decoder = createUpbitDecoder()
const decode = (frame: string | Uint8Array) => decoder.decode(frame, 7)

const TRADE = {
  type: 'trade',
  code: 'KRW-BTC',
  trade_timestamp: 1_700_000_000_950,
  trade_price: 50_123_000,
  trade_volume: 0.5,
  ask_bid: 'BID',
  sequential_id: 17,
}

/** A trade with some fields replaced by JSON text; undefined leaves the field out. */
function tradeWith(changes: Record<string, string | undefined>): string {
  const members = Object.entries({
    ...Object.fromEntries(Object.entries(TRADE).map(([name, value]) => [name, JSON.stringify(value)])),
    ...changes,
  })
  return `{${members.flatMap(([name, value]) => (value === undefined ? [] : [`"${name}":${value}`])).join(',')}}`
}

function bookWith(units: string): string {
  return `{"type":"orderbook","code":"KRW-BTC","timestamp":1700000000950,"orderbook_units":${units}}`
}

/** The one record of a frame. */
function only(frame: DecodedFrame) {
  if (frame.kind !== 'records' || frame.records.length !== 1) throw new Error(`expected one record, saw ${JSON.stringify(frame)}`)
  return frame.records[0]
}

describe('frames', () => {
  it('are the same as text, as bytes and as a view into a larger buffer', () => {
    const text = tradeWith({})
    const padded = Buffer.from(`###${text}###`)
    const view = new Uint8Array(padded.buffer, padded.byteOffset + 3, text.length)
    expect(decode(text)).toMatchObject({kind: 'records', records: [{tradeId: '17', price: '50123000'}], rejected: []})
    expect(decode(Buffer.from(text))).toEqual(decode(text))
    expect(decode(view)).toEqual(decode(text))
  })

  it.each([
    ['{"status":"UP"}', {kind: 'status', about: 'alive'}],
    ['[{"status":"UP"}]', {kind: 'status', about: 'alive'}],
    ['{"mthd":"LIST_SUBSCRIPTIONS","rslt":[],"tckt":"t"}', {kind: 'status', about: 'subscriptions'}],
    ['[{"market":"KRW-BTC","korean_name":"비트코인","english_name":"Bitcoin"}]', {kind: 'status', about: 'markets'}],
    ['{"error":{"name":"NO_CODES","message":"코드"}}', {kind: 'error', name: 'NO_CODES', message: '코드'}],
    ['{"error":{"name":404,"message":"Code not found"}}', {kind: 'error', name: '404', message: 'Code not found'}],
    ['{"error":{}}', {kind: 'error', name: '', message: ''}],
    ['[]', {kind: 'records', records: [], rejected: []}],
    [' [ ] ', {kind: 'records', records: [], rejected: []}],
  ])('%s', (text, expected) => {
    expect(decode(text)).toEqual(expected)
  })

  it('that hold a list lose only the items that are bad', () => {
    const bad = tradeWith({trade_price: '-1'})
    expect(decode(`[${tradeWith({})},${bad},null,7,{"type":"myAsset"},${tradeWith({sequential_id: '18'})}]`)).toEqual({
      kind: 'records',
      records: [expect.objectContaining({tradeId: '17'}), expect.objectContaining({tradeId: '18'})],
      rejected: [
        {code: 'COINPIPE_FRAME_INVALID_FIELD', message: 'upbit sent -1 as trade_price/tp, where a number above 0 should be'},
        {code: 'COINPIPE_FRAME_UNKNOWN_TYPE', message: 'upbit sent null where a message should be'},
        {code: 'COINPIPE_FRAME_UNKNOWN_TYPE', message: 'upbit sent the number 7 where a message should be'},
        {code: 'COINPIPE_FRAME_UNKNOWN_TYPE', message: "upbit sent a message of type 'myAsset', which coinpipe does not read"},
      ],
    })
  })

  const deep = `{"type":"trade","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  it.each([
    ['empty', '', 'COINPIPE_FRAME_MALFORMED'],
    ['cut', tradeWith({}).slice(0, 50), 'COINPIPE_FRAME_MALFORMED'],
    ['followed by something', `${tradeWith({})}{}`, 'COINPIPE_FRAME_MALFORMED'],
    ['no JSON', 'PONG', 'COINPIPE_FRAME_MALFORMED'],
    ['NaN', tradeWith({trade_price: 'NaN'}), 'COINPIPE_FRAME_MALFORMED'],
    ['Infinity', tradeWith({trade_price: '-Infinity'}), 'COINPIPE_FRAME_MALFORMED'],
    ['nested too deep', deep, 'COINPIPE_FRAME_MALFORMED'],
    ['10 MB', tradeWith({x: `"${'x'.repeat(10_000_000)}"`}), 'COINPIPE_FRAME_TOO_LARGE'],
    ['null', 'null', 'COINPIPE_FRAME_UNKNOWN_TYPE'],
    ['a number', '5', 'COINPIPE_FRAME_UNKNOWN_TYPE'],
    ['a text', '"trade"', 'COINPIPE_FRAME_UNKNOWN_TYPE'],
    ['true', 'true', 'COINPIPE_FRAME_UNKNOWN_TYPE'],
    ['an empty object', '{}', 'COINPIPE_FRAME_UNKNOWN_TYPE'],
    ['of an unknown type', tradeWith({type: '"myOrder"'}), 'COINPIPE_FRAME_UNKNOWN_TYPE'],
    ['of a type that is no text', tradeWith({type: '5'}), 'COINPIPE_FRAME_INVALID_FIELD'],
  ])('that are %s are refused, and the next one is read', (_name, text, code) => {
    expect(decode(text)).toEqual({kind: 'rejected', code, message: expect.stringMatching(/./)})
    expect(decode(Buffer.from(text))).toMatchObject({kind: 'rejected', code})
    expect(only(decode(tradeWith({})))).toMatchObject({tradeId: '17'})
  })

  it('that are large but allowed are read', () => {
    const items = Array.from({length: 5000}, (_, index) => tradeWith({sequential_id: String(index), x: `"${'x'.repeat(1000)}"`}))
    const frame = decode(`[${items.join(',')}]`)
    expect(frame.kind === 'records' && frame.records.length).toBe(5000)
  })
})

describe('trades', () => {
  it.each([
    ['9007199254740993', '9007199254740993'],
    ['17000000009500000', '17000000009500000'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['17.0', '17'],
    ['1.7E1', '17'],
  ])('keep the id %s exactly', (source, tradeId) => {
    expect(only(decode(tradeWith({sequential_id: source})))).toMatchObject({id: `trade:upbit:BTC-KRW:${tradeId}`, tradeId})
  })

  it('of two markets with one id are two', () => {
    const ids = ['KRW-LAMB', 'KRW-WAVES'].map((code) => only(decode(tradeWith({code: JSON.stringify(code)})))?.id)
    expect(new Set(ids).size).toBe(2)
  })

  it('from REST are the same events as from the websocket', () => {
    const rest = `[{"market":"KRW-BTC","trade_date_utc":"2023-11-14","timestamp":1700000000950,"trade_price":50123000.00000000,"trade_volume":5E-1,"ask_bid":"BID","sequential_id":17}]`
    expect(decode(rest)).toEqual(decode(tradeWith({})))
  })

  it.each([
    ['trade_price', '0', '0'],
    ['trade_price', '-0.0', '0'],
    ['trade_price', '-1', '-1'],
    ['trade_price', '1e400', '1e400'],
    ['trade_price', '"1"', "'1'"],
    ['trade_price', 'null', 'null'],
    ['trade_price', '[1]', 'a value of another type'],
    ['trade_price', undefined, 'nothing'],
    ['trade_volume', '-0.1', '-0.1'],
    ['trade_volume', 'true', 'a value of another type'],
    ['trade_timestamp', '0', '0'],
    ['trade_timestamp', '-5', '-5'],
    ['trade_timestamp', '1700000000950.5', '1700000000950.5'],
    ['trade_timestamp', '1700000000950123', '1700000000950123'],
    ['trade_timestamp', undefined, 'nothing'],
    ['ask_bid', '"BUY"', "'BUY'"],
    ['ask_bid', '1', '1'],
    ['ask_bid', undefined, 'nothing'],
    ['sequential_id', '1.5', '1.5'],
    ['sequential_id', '-1', '-1'],
    ['sequential_id', '"17"', "'17'"],
    ['sequential_id', undefined, 'nothing'],
    ['code', '"BTC"', "'BTC'"],
    ['code', '"krw-btc"', "'krw-btc'"],
    ['code', '"KRW-BTC:x"', "'KRW-BTC:x'"],
    ['code', '7', '7'],
    ['code', undefined, 'nothing'],
  ])('with %s %s are refused', (name, value, seen) => {
    const frame = decode(tradeWith({[name]: value}))
    expect(frame).toMatchObject({kind: 'rejected', code: 'COINPIPE_FRAME_INVALID_FIELD'})
    expect(frame.kind === 'rejected' && frame.message).toContain(`upbit sent ${seen} as ${name}`)
  })
})

describe('books', () => {
  const unit = (askPrice: string, bidPrice: string, askSize = '1', bidSize = '2') =>
    `{"ask_price":${askPrice},"bid_price":${bidPrice},"ask_size":${askSize},"bid_size":${bidSize}}`

  it('leave out the zeros that fill up the shorter side', () => {
    expect(only(decode(bookWith(`[${unit('11', '10')},${unit('12', '0', '1', '0.0')}]`)))).toMatchObject({
      bids: [['10', '2']],
      asks: [
        ['11', '1'],
        ['12', '1'],
      ],
    })
  })

  it('have one id for the same levels however they are written, and another for other levels', () => {
    const ids = [
      bookWith(`[${unit('11', '10')}]`),
      bookWith(`[${unit('11.0', '1.0E1')}]`),
      bookWith(`[${unit('11', '10', '2', '1')}]`),
      bookWith(`[${unit('10', '11')}]`),
    ].map((text) => only(decode(text))?.id)
    expect(ids[0]).toBe(ids[1])
    expect(new Set(ids).size).toBe(3)
  })

  it('of 30 levels and of none are read', () => {
    const units = Array.from({length: 30}, (_, index) => unit(String(1000 + index), String(999 - index)))
    const record = only(decode(bookWith(`[${units.join(',')}]`)))
    expect(record?.type === 'book' && [record.bids.length, record.asks.length, record.bids[29]]).toEqual([30, 30, ['970', '2']])
    expect(only(decode(bookWith('[]')))).toMatchObject({bids: [], asks: []})
  })

  it.each([
    ['a size without a price', `[${unit('0', '10')}]`],
    ['a negative price', `[${unit('-1', '10')}]`],
    ['a negative size', `[${unit('11', '10', '-1')}]`],
    ['a text', `[${unit('"11"', '10')}]`],
    ['a missing field', '[{"ask_price":11,"bid_price":10,"ask_size":1}]'],
    ['a number for a level', '[5]'],
    ['no list', '{}'],
    ['null', 'null'],
  ])('with %s are refused', (_name, units) => {
    expect(decode(bookWith(units))).toMatchObject({kind: 'rejected', code: 'COINPIPE_FRAME_INVALID_FIELD'})
  })
})

describe('tickers', () => {
  const ticker = '{"type":"ticker","code":"KRW-BTC","trade_timestamp":1700000000950,"trade_price":5'

  it('have null for what is missing, and say that the day is the UTC day', () => {
    expect(only(decode(`${ticker},"opening_price":4,"signed_change_rate":-0.010,"acc_trade_volume_24h":null}`))).toMatchObject({
      last: '5',
      open: {value: '4', basis: 'utc-day'},
      high: null,
      low: null,
      changeRate: {value: '-0.01', basis: 'utc-day'},
      volumeBase24h: null,
      volumeQuote24h: null,
    })
  })

  it('have one id from websocket and REST, whenever each was made', () => {
    const rest = decode('[{"market":"KRW-BTC","trade_timestamp":1700000000950,"trade_price":5.0,"timestamp":1700000009999}]')
    expect(rest).toEqual(decode(`${ticker},"timestamp":1700000000990}`))
  })

  it.each(['"opening_price":"4"', '"opening_price":[4]', '"acc_trade_price_24h":1e999'])('with %s are refused', (member) => {
    expect(decode(`${ticker},${member}}`)).toMatchObject({kind: 'rejected', code: 'COINPIPE_FRAME_INVALID_FIELD'})
  })
})

describe('candles', () => {
  const candle = (type: string, time: string) =>
    `{"type":"${type}","code":"KRW-BTC","candle_date_time_utc":${time},"opening_price":1,"high_price":3,"low_price":1,"trade_price":2,"candle_acc_trade_volume":0,"candle_acc_trade_price":0,"timestamp":1700000000990}`

  it.each([
    ['candle.1s', '1s'],
    ['candle.1m', '1m'],
    ['candle.5m', '5m'],
    ['candle.15m', '15m'],
    ['candle.60m', '1h'],
    ['candle.240m', '4h'],
  ])('%s are of %s and from the exchange', (type, interval) => {
    expect(only(decode(candle(type, '"2023-11-14T20:00:00"')))).toMatchObject({
      id: `candle:upbit:BTC-KRW:${interval}:1699992000000000:exchange`,
      interval,
      startTime: 1_699_992_000_000_000,
      eventTime: 1_699_992_000_000_000,
      close: '2',
      trades: null,
      closed: false,
      version: 1_700_000_000_990,
      origin: 'exchange',
    })
  })

  it.each(['candle.3m', 'candle.', 'candle.1d'])('of type %s are refused', (type) => {
    expect(decode(candle(type, '"2023-11-14T20:00:00"'))).toMatchObject({kind: 'rejected', code: 'COINPIPE_FRAME_UNKNOWN_TYPE'})
  })

  it.each(['"2023-11-14 20:00:00"', '"2023-13-14T20:00:00"', '"2023-11-14T20:00:00Z"', '1699992000000', 'null'])(
    'with time %s are refused',
    (time) => {
      expect(decode(candle('candle.1m', time))).toMatchObject({kind: 'rejected', code: 'COINPIPE_FRAME_INVALID_FIELD'})
    },
  )
})

describe('the fast and the exact reader', () => {
  const LONG = [
    'type',
    'code',
    'timestamp',
    'trade_timestamp',
    'trade_price',
    'trade_volume',
    'ask_bid',
    'sequential_id',
    'orderbook_units',
    'ask_price',
    'bid_price',
    'ask_size',
    'bid_size',
    'opening_price',
    'signed_change_rate',
    'acc_trade_price_24h',
  ]
  const SHORT = ['ty', 'cd', 'tms', 'ttms', 'tp', 'tv', 'ab', 'sid', 'obu', 'ap', 'bp', 'as', 'bs', 'op', 'scr', 'atp24h']
  const space = fc.constantFrom('', '', '', ' ', '\n ')
  const good = fc.oneof(
    fc.tuple(fc.bigInt({min: 0n, max: 10n ** 17n}), fc.integer({min: 0, max: 8})).map(([digits, scale]) => {
      const text = digits.toString().padStart(scale + 1, '0')
      return scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`
    }),
    fc.tuple(fc.integer({min: 1, max: 999}), fc.integer({min: -8, max: 8})).map(([digits, exponent]) => `${digits}E${exponent}`),
  )
  const bad = fc.constantFrom('-1', '"5"', 'null', 'true', '1e400', '{}', '[[]]')
  const value = fc.oneof({weight: 30, arbitrary: good}, {weight: 1, arbitrary: bad})
  const time = fc.integer({min: 1_600_000_000_000, max: 1_800_000_000_000}).map(String)
  const extra = fc.oneof(
    fc.tuple(
      fc.constantFrom('x', 'change', 'st', '비', 'a\\"b'),
      fc.oneof(good, fc.constantFrom('"REALTIME"', '"\\u0041"', '"비트"', 'null', 'false', '{"tp":[1,{}]}', '[]')),
    ),
  )
  const units = fc
    .array(fc.tuple(value, value, value, value), {maxLength: 4})
    .map(
      (rows) => `[${rows.map(([ap, bp, as, bs]) => `{"ask_price":${ap},"bid_price":${bp},"ask_size":${as},"bid_size":${bs}}`).join(',')}]`,
    )
  const members = fc.tuple(
    fc.constantFrom('trade', 'orderbook', 'ticker').map((type) => `"${type}"`),
    fc.constantFrom('"KRW-BTC"', '"BTC-XRP"', '"USDT-ETH.15"'),
    time,
    time,
    value,
    value,
    fc.constantFrom('"ASK"', '"BID"'),
    good.map((text) => text.replace(/[.E].*/, '')),
    units,
    value,
    value,
    value,
  )
  const item = fc
    .record({
      members,
      extras: fc.array(extra, {maxLength: 3}),
      short: fc.boolean(),
      order: fc.infiniteStream(fc.nat()),
      spaces: fc.infiniteStream(space),
    })
    .map(({members, extras, short, order, spaces}) => {
      const [type, code, timestamp, tradeTime, price, size, side, id, levels, open, change, volume] = members
      const fields: [string, string][] = [
        ['type', type],
        ['code', code],
        ['timestamp', timestamp],
        ['trade_timestamp', tradeTime],
        ['trade_price', price],
        ['trade_volume', size],
        ['ask_bid', side],
        ['sequential_id', id],
        ['orderbook_units', levels],
        ['opening_price', open],
        ['signed_change_rate', change],
        ['acc_trade_price_24h', volume],
      ]
      const shuffled = [...fields, ...extras]
        .map((field) => ({field, place: order.next().value}))
        .sort((a, b) => a.place - b.place)
        .map(({field}) => field)
      const gap = () => spaces.next().value
      const text = `{${shuffled.map(([name, text]) => `${gap()}"${name}"${gap()}:${gap()}${text}${gap()}`).join(',')}}`
      return short ? LONG.reduce((result, name, index) => result.replaceAll(`"${name}"`, `"${SHORT[index]}"`), text) : text
    })

  /** An escape in a field that nobody reads: the fast reader gives up on it. */
  const slow = (text: string) => text.replace(/^\{/, '{"zz":"\\u0041",')

  it('make the same records', () => {
    let records = 0
    fc.assert(
      fc.property(item, (text) => {
        const frame = decode(text)
        expect(frame).toEqual(decode(slow(text)))
        records += frame.kind === 'records' ? 1 : 0
        expect(decode(Buffer.from(text))).toEqual(frame)
      }),
      {numRuns: 1000},
    )
    expect(records).toBeGreaterThan(200)
  })

  it('make the same records of lists', () => {
    fc.assert(
      fc.property(fc.array(item, {minLength: 1, maxLength: 4}), (items) => {
        const frame = decode(`[${items.join(' , ')}]`)
        expect(frame).toEqual(decode(`[${items.map(slow).join(',')}]`))
      }),
      {numRuns: 300},
    )
  })

  it('never throw, whatever comes', () => {
    const anything = fc.oneof(
      arbitraryText(60),
      fc.json(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    )
    fc.assert(
      fc.property(anything, (frame) => {
        expect(['records', 'status', 'error', 'rejected']).toContain(decode(frame).kind)
      }),
    )
  })
})
