import {describe, expect, it} from 'vitest'
import {systemClock} from '../../../../src/lib/core/clock.ts'
import type {CoinRecord} from '../../../../src/lib/core/records.ts'
import {IndexRows} from '../../../../src/lib/store/cassandra/index-rows.ts'
import {LAST_EXPIRY_SECONDS, MAX_TTL_SECONDS, TABLE_DEFAULTS, type TableOptions} from '../../../../src/lib/store/cassandra/options.ts'
import type {InsertTable} from '../../../../src/lib/store/cassandra/partitions.ts'
import {usingOf} from '../../../../src/lib/store/cassandra/statements.ts'
import {indexTtl, type TableRecord, tableOf, tablesFor, ttlOf} from '../../../../src/lib/store/cassandra/tables.ts'
import {rowEncoder, valuesOf} from '../../../helpers/encoded-rows.ts'
import {candle, T0, trade} from '../../../helpers/market-records.ts'

const YEAR = 365 * 86_400
const NOW = Date.UTC(2026, 10, 21) / 1000
const LEFT = LAST_EXPIRY_SECONDS - NOW

const MARKET = tableOf('market', 'hour')
const options = (changes: Partial<TableOptions>): TableOptions => ({...TABLE_DEFAULTS, ...changes})

describe('the TTL of tables', () => {
  it('is twice as long where rows say where others are, and never more than Cassandra takes', () => {
    expect(ttlOf(MARKET, options({ttlSeconds: 60, ttlSecondsOf: {gap: 100}}))).toBe(200)
    expect(ttlOf(MARKET, options({ttlSeconds: MAX_TTL_SECONDS}))).toBe(MAX_TTL_SECONDS)
    expect(ttlOf(MARKET, options({ttlSecondsOf: {gap: null}}))).toBeNull()
  })
})

describe('the TTL of an index row', () => {
  it('is that of its table where nodes take it', () => {
    expect(indexTtl(MARKET, 'trade', options({}), NOW)).toBe(7200)
    expect(indexTtl(MARKET, 'trade', options({ttlSeconds: null}), NOW)).toBeNull()
  })

  it.each([6, 8, 11])('ends before 2038-01-19 where rows of %i years still do, and after them', (years) => {
    const ttl = indexTtl(MARKET, 'trade', options({ttlSeconds: years * YEAR}), NOW) ?? 0
    expect(ttl).toBeLessThan(LEFT)
    expect(ttl).toBeGreaterThanOrEqual(years * YEAR)
    expect(LEFT - ttl).toBeLessThanOrEqual(3601)
  })

  it('is as long as ever where the rows themselves end later: nodes that take those take it too', () => {
    expect(indexTtl(MARKET, 'trade', options({ttlSeconds: 12 * YEAR}), NOW)).toBe(MAX_TTL_SECONDS)
  })

  it('stands in the way of no trade where candles are kept for longer than nodes take', () => {
    const kept = options({ttlSecondsOf: {candle: 15 * YEAR}})
    expect(indexTtl(MARKET, 'trade', kept, NOW)).toBeLessThan(LEFT)
  })
})

describe('index rows', () => {
  const insertTables = (ttl: boolean): ReadonlyMap<TableRecord, InsertTable> =>
    new Map(
      tablesFor('hour').flatMap((table) =>
        table.record === null ? [] : [[table.record, {table, using: usingOf(table, {ttl}), header: Buffer.alloc(0)}]],
      ),
    )

  function indexRowsOf(record: CoinRecord, changes: Partial<TableOptions>, ttl = false) {
    const encoder = rowEncoder({tables: insertTables(ttl)})
    const rows = new IndexRows(encoder, options(changes), {...systemClock, nowUs: () => NOW * 1e6}).collect(0)
    rows.add(record, encoder.encode(record, ttl ? 5 : undefined), 0)
    return rows.rows.map((row) => ({table: row.partition.table.name, ttl: valuesOf(row).ttl}))
  }

  it('have the TTL of their table, whatever that was made with', () => {
    expect(indexRowsOf(trade('1'), {})).toEqual([
      {table: 'market', ttl: 'unset'},
      {table: 'trade_bucket_by_symbol', ttl: 'unset'},
    ])
    expect(indexRowsOf(candle(T0, 1), {ttlSeconds: null})).toEqual([
      {table: 'market', ttl: 'unset'},
      {table: 'candle_bucket_by_symbol', ttl: 'unset'},
    ])
  })

  it('have one of their own where rows have, and where that of the table ends too late', () => {
    expect(indexRowsOf(trade('1'), {}, true).map(({ttl}) => ttl)).toEqual([7200, 7200])
    for (const {ttl} of indexRowsOf(trade('1'), {ttlSeconds: 8 * YEAR})) expect(ttl).toBeLessThan(LEFT)
  })
})
