import {describe, expect, it} from 'vitest'
import {MAX_TTL_SECONDS, TABLE_DEFAULTS, type TableOptions} from '../../../../src/lib/store/cassandra/options.ts'
import {checkTableOptions, tableWarnings} from '../../../../src/lib/store/cassandra/schema/options-check.ts'

const NOW_MS = Date.UTC(2026, 10, 21)

const check = (changes: Partial<TableOptions>) => () => checkTableOptions('coinpipe', {...TABLE_DEFAULTS, ...changes})
const warnings = (changes: Partial<TableOptions>, nodesUp = 3) => tableWarnings({...TABLE_DEFAULTS, ...changes}, nodesUp, NOW_MS)

describe('options of tables', () => {
  it.each(['coinpipe', 'c', 'c0_1', 'a'.repeat(48)])('take %s as a keyspace', (keyspace) => {
    expect(() => checkTableOptions(keyspace, TABLE_DEFAULTS)).not.toThrow()
  })

  it.each(['', 'Coinpipe', '1st', 'a-b', 'a b', 'a;b', '"a"', 'a'.repeat(49), 'select', 'table'])('refuse %j as a keyspace', (keyspace) => {
    expect(() => checkTableOptions(keyspace, TABLE_DEFAULTS)).toThrow(/no name for a keyspace/)
  })

  it.each(['system', 'system_auth', 'system_schema'])('refuse %s, which is a keyspace of Cassandra', (keyspace) => {
    expect(() => checkTableOptions(keyspace, TABLE_DEFAULTS)).toThrow(/Cassandra's own/)
  })

  it.each<[Partial<TableOptions>, RegExp]>([
    [{ttlSeconds: 0}, /ttl of 0/],
    [{ttlSecondsOf: {candle: 0}}, /ttlOf\.candle of 0/],
    [{ttlSeconds: MAX_TTL_SECONDS + 1}, /20 years/],
    [{ttlSeconds: 1.5}, /ttl in seconds is 1\.5/],
    [{ttlSeconds: -1}, /ttl in seconds is -1/],
    [{replicas: 0}, /replicas is 0/],
    [{gcGraceSeconds: -1}, /gcGrace in seconds is -1/],
    [{windowMinutes: 0}, /window in minutes is 0/],
    [{windowMinutes: 0.5}, /window in minutes is 0\.5/],
  ])('refuse %j', (changes, message) => {
    expect(check(changes)).toThrow(message)
  })

  it.each<Partial<TableOptions>>([{ttlSeconds: null}, {ttlSeconds: MAX_TTL_SECONDS}, {gcGraceSeconds: 0}])('take %j', (changes) => {
    expect(check(changes)).not.toThrow()
  })
})

describe('warnings', () => {
  it('are none for what is usual', () => {
    expect(warnings({})).toEqual([])
    expect(warnings({ttlSeconds: null})).toEqual([])
  })

  it('say that nodes are fewer than replicas', () => {
    expect(warnings({replicas: 3}, 2)).toEqual([expect.stringContaining('3 copies, and nodes that are up: 2')])
  })

  it('say which rows expire later than Cassandra may take', () => {
    expect(warnings({ttlSecondsOf: {candle: 12 * 365 * 86_400}})).toEqual([expect.stringMatching(/2038-01-19.*: candle_by_symbol/)])
  })
})
