import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {decodeRecord, encodeRecord, InvalidRecordError} from '../../../src/lib/core/codec.ts'
import {type CoinRecord, RECORD_TYPES} from '../../../src/lib/core/records.ts'
import {arbitraryRecord} from '../../helpers/arbitrary-records.ts'

const TRADE: CoinRecord = {
  type: 'trade',
  id: 'trade:upbit:BTC-KRW:17',
  eventTime: 1_700_000_000_950_000,
  receivedTime: 1_700_000_001_000_001,
  exchange: 'upbit',
  symbol: 'BTC-KRW',
  price: '50123000',
  size: '0.5',
  side: 'buy',
  tradeId: '17',
}

describe.each(RECORD_TYPES)('%s records', (type) => {
  it('are encoded as JSON.stringify would, and come back the same', () => {
    fc.assert(
      fc.property(arbitraryRecord(type), (record) => {
        const text = encodeRecord(record)
        expect(text).toBe(JSON.stringify(record))
        expect(decodeRecord(text)).toEqual(record)
      }),
    )
  })

  it('come back from bytes, and from a view into a larger buffer', () => {
    fc.assert(
      fc.property(
        arbitraryRecord(type).filter((record) => encodeRecord(record).isWellFormed()),
        (record) => {
          const padded = Buffer.from(`##${encodeRecord(record)}##`)
          expect(decodeRecord(new Uint8Array(padded.buffer, padded.byteOffset + 2, padded.length - 4))).toEqual(record)
        },
      ),
    )
  })

  it('are refused without any one field that every record of the type has', () => {
    const [record] = fc.sample(arbitraryRecord(type), {numRuns: 1, seed: 7})
    if (!record) throw new Error('no sample')
    for (const name of ['type', 'id', 'eventTime', 'receivedTime']) {
      const {[name as 'id']: _, ...rest} = record
      expect(() => decodeRecord(JSON.stringify(rest))).toThrow(InvalidRecordError)
      expect(() => decodeRecord(JSON.stringify({...rest, [name]: {}}))).toThrow(InvalidRecordError)
    }
  })
})

describe('encodeRecord', () => {
  it.each(['"', '\\', '\n', '\u0000', '비', '\ud800'])('escapes %j in the texts of a trade', (mark) => {
    for (const name of ['exchange', 'symbol', 'tradeId']) {
      const fields = {...TRADE, [name]: `x${mark}`}
      const record = {...fields, id: `trade:${fields.exchange}:${fields.symbol}:${fields.tradeId}`}
      expect(encodeRecord(record)).toBe(JSON.stringify(record))
    }
    const record = {...TRADE, sequence: mark}
    expect(encodeRecord(record)).toBe(JSON.stringify(record))
  })
})

describe('decodeRecord', () => {
  it.each([
    ['', /must be JSON/],
    ['{', /must be JSON/],
    ['null', /expected a record, saw null/],
    ['5', /expected a record/],
    ['[]', /type must be one of trade, book/],
    ['{}', /type must be one of/],
    ['{"type":"toString"}', /type must be one of/],
    ['{"type":"trade"}', /a trade must have id \(string\)/],
    [JSON.stringify({...TRADE, price: 5}), /trade:upbit:BTC-KRW:17 must have price \(string\); saw 5/],
    [JSON.stringify({...TRADE, eventTime: '5'}), /must have eventTime \(number\); saw "5"/],
    [JSON.stringify({...TRADE, tradeId: undefined}), /must have tradeId \(string\); saw nothing/],
    [JSON.stringify({...TRADE, type: 'book', kind: 'top', bids: null, asks: []}), /must have bids \(object\); saw null/],
  ])('refuses %s', (text, message) => {
    expect(() => decodeRecord(text)).toThrow(message)
    expect(() => decodeRecord(Buffer.from(text))).toThrow(InvalidRecordError)
  })

  it('shows the beginning only of something long', () => {
    expect(() => decodeRecord(`[${'1,'.repeat(1_000_000)}1]`)).toThrow(/… \(2000003 characters\)$/)
  })
})
