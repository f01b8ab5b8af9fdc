import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {TableOptions} from '../../../../src/lib/store/cassandra/options.ts'
import {differences, extras} from '../../../../src/lib/store/cassandra/schema/diff.ts'
import type {LiveKeyspace} from '../../../../src/lib/store/cassandra/schema/live.ts'
import {planMigration} from '../../../../src/lib/store/cassandra/schema/migration.ts'
import type {ColumnShape} from '../../../../src/lib/store/cassandra/schema/shape.ts'
import {arbitraryTableOptions, live, wanted, without, withTable} from '../../../helpers/cassandra-shapes.ts'

const CURRENT = {found: 1, wanted: 1}
const VERSIONED = new Set(['candle_by_symbol'])

function found(keyspace: LiveKeyspace | null, changes: Partial<TableOptions> = {}) {
  return differences(keyspace, wanted(changes), CURRENT, VERSIONED)
}

function planned(keyspace: LiveKeyspace, changes: Partial<TableOptions> = {}) {
  return planMigration(keyspace, wanted(changes))
}

const other: ColumnShape = {name: 'note', type: 'text', kind: 'regular', position: -1, order: 'none'}

describe('what differs', () => {
  it('is nothing in what was just made, whatever the options', () => {
    fc.assert(
      fc.property(arbitraryTableOptions, (options) => {
        expect(differences(live(wanted(options)), wanted(options), CURRENT, VERSIONED)).toEqual([])
        expect(planMigration(live(wanted(options)), wanted(options))).toEqual({statements: [], notes: []})
      }),
    )
  })

  it('between two sets of options is what a migration changes, unless buckets differ', () => {
    fc.assert(
      fc.property(arbitraryTableOptions, arbitraryTableOptions, (before, after) => {
        const all = differences(live(wanted(before)), wanted(after), CURRENT, VERSIONED)
        expect(all.some(({fix}) => fix === 'none')).toBe(before.bucket !== after.bucket)
        const places = new Set(all.filter(({fix}) => fix === 'migrate').map(({table}) => table))
        if (before.bucket === after.bucket) expect(planMigration(live(wanted(before)), wanted(after)).statements).toHaveLength(places.size)
      }),
    )
  })

  it('is the whole keyspace where it is missing', () => {
    expect(found(null)).toMatchObject([{table: null, what: 'keyspace', found: null, fix: 'create', stopsWriting: true}])
  })

  it('is a missing table, or column', () => {
    const keyspace = live()
    const fewer = {...keyspace, tables: keyspace.tables.filter(({name}) => name !== 'market')}
    expect(found(withTable(fewer, 'trade_by_symbol', without('price')))).toMatchObject([
      {table: 'trade_by_symbol', what: 'column', name: 'price', found: null, wanted: 'decimal', fix: 'migrate', stopsWriting: true},
      {table: 'market', what: 'table', found: null, fix: 'create', stopsWriting: true},
    ])
    const {statements} = planned(withTable(fewer, 'trade_by_symbol', without('price')))
    expect(statements).toHaveLength(2)
    expect(statements[0]).toBe('ALTER TABLE coinpipe.trade_by_symbol ADD IF NOT EXISTS (price decimal)')
    expect(statements[1]).toContain('CREATE TABLE IF NOT EXISTS coinpipe.market')
  })

  it('is a column that was dropped once: one that rows with small write timestamps could never fill again is not added', () => {
    const dropped = (table: string, column: string) =>
      found(withTable(live(), table, (shape) => ({...without(column)(shape), dropped: [column]})))
    expect(dropped('candle_by_symbol', 'high')).toMatchObject([{name: 'high', fix: 'none', stopsWriting: true}])
    expect(dropped('ticker_by_symbol', 'high')).toMatchObject([{name: 'high', fix: 'migrate', stopsWriting: true}])
  })

  it('is another type, or a static column', () => {
    const changed = (change: Partial<ColumnShape>) =>
      found(
        withTable(live(), 'trade_by_symbol', (table) => ({
          ...table,
          columns: table.columns.map((column) => (column.name === 'price' ? {...column, ...change} : column)),
        })),
      )
    expect(changed({type: 'double'})).toMatchObject([
      {what: 'type', name: 'price', found: 'double', wanted: 'decimal', fix: 'none', stopsWriting: true},
    ])
    expect(changed({kind: 'static'})).toMatchObject([{what: 'type', name: 'price', found: 'static decimal', fix: 'none'}])
  })

  it('is another primary key, which another bucket has', () => {
    const [first, ...others] = found(live(), {bucket: 'day'})
    expect(first).toEqual({
      table: 'trade_by_symbol',
      what: 'primary key',
      name: 'primary key',
      found: '((exchange, symbol, bucket_hour), event_time, id)',
      wanted: '((exchange, symbol, bucket_day), event_time, id)',
      fix: 'none',
      stopsWriting: true,
    })
    expect(new Set(others.map(({what}) => what))).toEqual(new Set(['primary key']))
    expect(extras(live(), wanted({bucket: 'day'}))).toEqual([])
  })

  it('is another clustering order, which rows can still be written in', () => {
    const turned = withTable(live(), 'trade_by_symbol', (table) => ({
      ...table,
      columns: table.columns.map((column) => (column.name === 'event_time' ? {...column, order: 'asc' as const} : column)),
    }))
    expect(found(turned)).toMatchObject([
      {what: 'clustering order', found: 'event_time asc, id asc', wanted: 'event_time desc, id asc', fix: 'none', stopsWriting: false},
    ])
  })

  it('is a version that is missing, older or newer', () => {
    const version = (found: number | null) => differences(live(), wanted(), {found, wanted: 1}, VERSIONED)
    expect(version(null)).toMatchObject([{what: 'version', found: null, wanted: '1', fix: 'migrate', stopsWriting: false}])
    expect(version(0)).toMatchObject([{found: '0', fix: 'migrate', stopsWriting: false}])
    expect(version(2)).toMatchObject([{found: '2', fix: 'none', stopsWriting: true}])
  })
})

describe('options', () => {
  it('differ one by one, and are changed together', () => {
    const window = {name: 'compaction.compaction_window_size', found: '5', wanted: '10', fix: 'migrate', stopsWriting: false}
    const all = found(live(), {windowMinutes: 10, gcGraceSeconds: 60}).filter(({table}) => table === 'trade_by_symbol')
    expect(all).toMatchObject([{name: 'gc_grace_seconds', found: '10800', wanted: '60'}, window])
    expect(planned(live(), {windowMinutes: 10, gcGraceSeconds: 60}).statements[0]).toBe(
      "ALTER TABLE coinpipe.trade_by_symbol WITH gc_grace_seconds = 60 AND compaction = {'class': 'TimeWindowCompactionStrategy', " +
        "'compaction_window_unit': 'MINUTES', 'compaction_window_size': '10', 'expired_sstable_check_frequency_seconds': '60', " +
        "'max_threshold': '32', 'min_threshold': '4'}",
    )
  })

  it('of another compaction strategy do not stay', () => {
    const tiered = withTable(live(), 'book_by_symbol', (table) => ({
      ...table,
      options: {...table.options, compaction: {class: 'SizeTieredCompactionStrategy', min_threshold: '4'}},
    }))
    expect(planned(tiered).statements).toEqual([
      "ALTER TABLE coinpipe.book_by_symbol WITH compaction = {'class': 'LeveledCompactionStrategy'}",
    ])
  })

  it('that nobody asked for stay as they are', () => {
    const tuned = withTable(live(), 'book_by_symbol', (table) => ({
      ...table,
      options: {...table.options, compaction: {...table.options.compaction, sstable_size_in_mb: '320'}},
    }))
    expect(found(tuned)).toEqual([])
  })

  it('of TTL leave rows that are there as they are, which is said', () => {
    const {notes} = planned(live(), {ttlSecondsOf: {product: null, candle: 60}})
    expect(notes).toEqual([expect.stringContaining('candle_by_symbol (3600 s), product_by_pid (3600 s)')])
  })
})

describe('replication', () => {
  it('keeps other data centres, and asks for a repair', () => {
    const keyspace = live()
    const both = {...keyspace, replication: {...keyspace.replication, dc2: '3'}}
    expect(found(both)).toEqual([])
    const {statements, notes} = planned(both, {replicas: 3})
    expect(statements).toEqual(["ALTER KEYSPACE coinpipe WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3', 'dc2': '3'}"])
    expect(notes).toEqual([expect.stringContaining('nodetool repair')])
  })

  it('of another strategy is replaced', () => {
    const simple = {...live(), replication: {class: 'SimpleStrategy', replication_factor: '2'}}
    expect(found(simple)).toMatchObject([{table: null, what: 'replication', fix: 'migrate', stopsWriting: false}])
    expect(planned(simple).statements).toEqual([
      "ALTER KEYSPACE coinpipe WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '2'}",
    ])
  })
})

it('names tables and columns of others, which are no difference', () => {
  const keyspace = withTable(live(), 'market', (table) => ({...table, columns: [...table.columns, other]}))
  const [market] = keyspace.tables.filter(({name}) => name === 'market')
  const more = {...keyspace, tables: [...keyspace.tables, ...(market ? [{...market, name: 'mine'}] : [])]}
  expect(found(more)).toEqual([])
  expect(extras(more, wanted())).toEqual([
    {table: 'market', column: 'note'},
    {table: 'mine', column: null},
  ])
  expect(extras(null, wanted())).toEqual([])
})
