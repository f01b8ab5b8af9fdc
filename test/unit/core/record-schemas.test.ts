import {readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import fc from 'fast-check'
import {describe, expect, expectTypeOf, it} from 'vitest'
import type {z} from 'zod'
import {recordSchema} from '../../../src/lib/core/record-schemas.ts'
import {type CoinRecord, RECORD_TYPES} from '../../../src/lib/core/records.ts'
import {arbitraryRecord} from '../../helpers/arbitrary-records.ts'

const FIXTURE = fileURLToPath(new URL('../../fixtures/upbit/every-trait.records.jsonl', import.meta.url))
const RECORDS = readFileSync(FIXTURE, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as CoinRecord)

describe('recordSchema', () => {
  it('has the type of CoinRecord, field by field', () => {
    // Checked by the compiler: assignable in both directions.
    expectTypeOf<z.infer<typeof recordSchema>>().toExtend<CoinRecord>()
    expectTypeOf<CoinRecord>().toExtend<z.infer<typeof recordSchema>>()
    expectTypeOf<keyof z.infer<typeof recordSchema>>().toEqualTypeOf<keyof CoinRecord>()
  })

  it.each(RECORD_TYPES)('takes every valid %s', (type) => {
    fc.assert(
      fc.property(arbitraryRecord(type), (record) => {
        expect(recordSchema.parse(record)).toEqual(record)
      }),
    )
  })

  it('takes what the Upbit mapper makes', () => {
    for (const record of RECORDS) expect(recordSchema.parse(record)).toEqual(record)
  })

  const TRADE = RECORDS[0]
  it.each([
    ['price', '1.0', /canonical decimal/],
    ['price', '1e3', /canonical decimal/],
    ['price', '0', /above 0/],
    ['price', '-1', /above 0|below 0/],
    ['price', 1, /string/],
    ['size', 'NaN', /canonical decimal/],
    ['side', 'bid', /buy/],
    ['tradeId', '', /./],
    ['eventTime', 1.5, /int/],
    ['eventTime', -1, /./],
    ['eventTime', 2 ** 53, /./],
    ['symbol', 'KRW', /./],
    ['symbol', 'ETH-KRW', /must be type:exchange:symbol:key/],
    ['tradeId', '5', /must be type:exchange:symbol:key/],
    ['exchange', 'Upbit', /./],
    ['type', 'trades', /./],
    ['unknown', 1, /[Uu]nrecognized/],
    ['sequence', undefined, /./],
  ])('refuses a trade with %s %j', (name, value, message) => {
    expect(() => recordSchema.parse({...TRADE, [name]: value})).toThrow(message)
  })
})
