import {describe, expect, it} from 'vitest'
import {addColumns, alterKeyspace, alterOptions, createKeyspace, createTable} from '../../../../src/lib/store/cassandra/schema/render.ts'
import {tableId} from '../../../../src/lib/store/cassandra/schema/table-id.ts'
import {wanted} from '../../../helpers/cassandra-shapes.ts'

const ID = '2d1f5ce7-098e-8c8f-ab53-0f654ccf1f17'

function statement(name: string, changes: Parameters<typeof wanted>[0] = {}): string {
  const table = wanted(changes).tables.find((table) => table.name === name)
  return table === undefined ? '' : createTable('coinpipe', table, ID)
}

describe('a table, in CQL', () => {
  it('of events has windows of time, a TTL, and newest rows first', () => {
    expect(statement('trade_by_symbol')).toBe(`CREATE TABLE IF NOT EXISTS coinpipe.trade_by_symbol (
  exchange text,
  symbol text,
  bucket_hour timestamp,
  event_time timestamp,
  id text,
  event_us bigint,
  received_us bigint,
  price decimal,
  size decimal,
  side text,
  sequence text,
  PRIMARY KEY ((exchange, symbol, bucket_hour), event_time, id)
) WITH ID = ${ID}
  AND CLUSTERING ORDER BY (event_time DESC, id ASC)
  AND comment = 'Trades of a market, newest first. id is the trade id.'
  AND default_time_to_live = 3600
  AND gc_grace_seconds = 10800
  AND read_repair = 'NONE'
  AND compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'MINUTES', 'compaction_window_size': '5', 'expired_sstable_check_frequency_seconds': '60'}`)
  })

  it('of states, which are overwritten, is compacted by levels', () => {
    const text = statement('book_by_symbol')
    expect(text).toContain(`compaction = {'class': 'LeveledCompactionStrategy'}`)
    expect(text).toContain('PRIMARY KEY ((exchange, symbol))')
    expect(text).not.toContain('CLUSTERING ORDER')
  })

  it('has the TTL of its record type, and none where rows are kept for ever', () => {
    const changes = {ttlSecondsOf: {candle: 604_800, trade: null}}
    expect(statement('candle_by_symbol', changes)).toContain('default_time_to_live = 604800')
    expect(statement('trade_by_symbol', changes)).toContain('default_time_to_live = 0')
    expect(statement('ticker_by_symbol', changes)).toContain('default_time_to_live = 3600')
    expect(statement('schema_version', changes)).toContain('default_time_to_live = 0')
  })

  it('has buckets, windows and grace as asked', () => {
    const text = statement('trade_by_symbol', {bucket: 'day', windowMinutes: 60, gcGraceSeconds: 5})
    expect(text).toContain('PRIMARY KEY ((exchange, symbol, bucket_day), event_time, id)')
    expect(text).toContain(`'compaction_window_size': '60'`)
    expect(text).toContain('gc_grace_seconds = 5')
  })
})

it('renders keyspaces and changes', () => {
  const replication = {class: 'NetworkTopologyStrategy', "o'dc": '2'}
  expect(createKeyspace('k', replication)).toBe(
    "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': 'NetworkTopologyStrategy', 'o''dc': '2'} AND durable_writes = true",
  )
  expect(alterKeyspace('k', {class: 'SimpleStrategy'})).toBe("ALTER KEYSPACE k WITH replication = {'class': 'SimpleStrategy'}")
  const column = {kind: 'regular', position: -1, order: 'none'} as const
  expect(
    addColumns('k', 't', [
      {...column, name: 'a', type: 'text'},
      {...column, name: 'b', type: 'decimal'},
    ]),
  ).toBe('ALTER TABLE k.t ADD IF NOT EXISTS (a text, b decimal)')
  expect(alterOptions('k', 't', {comment: "it's", gc_grace_seconds: 5})).toBe(
    "ALTER TABLE k.t WITH comment = 'it''s' AND gc_grace_seconds = 5",
  )
})

describe('the id of a table', () => {
  it('is the same for all who create it', () => {
    expect(tableId('coinpipe', '1700000000000000', 'market')).toBe(tableId('coinpipe', '1700000000000000', 'market'))
    expect(tableId('coinpipe', '1700000000000000', 'market')).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
  })

  it('is another for another table, keyspace, or a keyspace that was made again', () => {
    const ids = [
      tableId('coinpipe', '1700000000000000', 'market'),
      tableId('coinpipe', '1700000000000001', 'market'),
      tableId('coinpipe', '1700000000000000', 'gap_by_symbol'),
      tableId('other', '1700000000000000', 'market'),
    ]
    expect(new Set(ids).size).toBe(ids.length)
  })
})
