import {randomBytes} from 'node:crypto'
import {describe, expect, it, onTestFinished} from 'vitest'
import {EXIT} from '../../src/lib/core/errors.ts'
import {recordId} from '../../src/lib/core/ids.ts'
import {CassandraSchemaError} from '../../src/lib/store/cassandra/errors.ts'
import {MAX_TTL_SECONDS, TABLE_DEFAULTS, WRITE_DEFAULTS} from '../../src/lib/store/cassandra/options.ts'
import {CassandraTables} from '../../src/lib/store/cassandra/schema/cassandra-tables.ts'
import {createCassandraSink} from '../../src/lib/store/cassandra/sink.ts'
import {bucketOf, tablesFor} from '../../src/lib/store/cassandra/tables.ts'
import {sinkContract} from '../contract/sink-contract.ts'
import {cassandraOptions, keyspaceForTest, openSession, tableOptions, tablesForFile, tablesForTest} from '../helpers/cassandra.ts'
import {openSink, writeRecords} from '../helpers/cassandra-sink.ts'
import {testContext} from '../helpers/context.ts'
import {rowEncoder} from '../helpers/encoded-rows.ts'
import {book, candle, gap, sinkItems, T0, ticker, trade} from '../helpers/market-records.ts'

const shared = tablesForFile()

sinkContract('Cassandra', {keepsPositions: false, knowsWritten: false}, async () => {
  const keyspace = shared()
  await emptied(keyspace)
  return {
    create: () => {
      const sink = createCassandraSink(cassandraOptions({keyspace}), tableOptions(), WRITE_DEFAULTS, testContext())
      onTestFinished(() => sink.close())
      return sink
    },
    storedTrades: async () => (await storedIds(keyspace)).map((id) => trade(id)),
  }
})

/** Quicker than new tables: what is written later is newer than this. */
async function emptied(keyspace: string): Promise<void> {
  const session = await openSession({keyspace})
  for (const symbol of ['BTC-KRW', 'ETH-KRW']) {
    const partition = ['upbit', symbol, new Date(bucketOf(T0, 'hour'))]
    await session.query(`DELETE FROM ${keyspace}.trade_by_symbol WHERE exchange = ? AND symbol = ? AND bucket_hour = ?`, partition)
  }
  await session.close()
}

async function storedIds(keyspace: string, symbol = 'BTC-KRW'): Promise<string[]> {
  const session = await openSession({keyspace})
  const rows = await session.query(`SELECT id FROM ${keyspace}.trade_by_symbol WHERE exchange = ? AND symbol = ? AND bucket_hour = ?`, [
    'upbit',
    symbol,
    new Date(bucketOf(T0, 'hour')),
  ])
  await session.close()
  return rows.map((row) => row.id)
}

describe('a Cassandra sink', () => {
  it('says how to make the keyspace or tables that are not there', async () => {
    const sink = createCassandraSink(cassandraOptions({keyspace: keyspaceForTest()}), TABLE_DEFAULTS, WRITE_DEFAULTS, testContext())
    await expect(sink.connect()).rejects.toBeInstanceOf(CassandraSchemaError)
    await sink.close()
  })

  it('writes more rows of many partitions than any batch holds', async () => {
    const keyspace = shared()
    await emptied(keyspace)
    const sink = await openSink(keyspace, {}, {batchRows: 7, lingerMs: 5})
    const trades = Array.from({length: 500}, (_, i) => trade(`${i}`, {symbol: i % 3 === 0 ? 'ETH-KRW' : 'BTC-KRW', eventTime: T0 + i}))
    expect(await writeRecords(sink, trades)).toEqual([])
    const stored = [...(await storedIds(keyspace)), ...(await storedIds(keyspace, 'ETH-KRW'))]
    expect(stored.map(Number).sort((a, b) => a - b)).toEqual(trades.map(({tradeId}) => Number(tradeId)))
  })

  it('writes several batches at once', async () => {
    const keyspace = shared()
    await emptied(keyspace)
    const sink = await openSink(keyspace)
    const writes = Array.from({length: 16}, (_, i) => writeRecords(sink, [trade(`${i}`)]))
    expect((await Promise.all(writes)).flat()).toEqual([])
    expect((await storedIds(keyspace)).length).toBe(16)
  })

  it('keeps the newest state, whichever order they come in, within a batch and across', async () => {
    const keyspace = shared()
    const sink = await openSink(keyspace)
    const session = await openSession({keyspace})
    const last = async () =>
      (await session.query(`SELECT last, high FROM ${keyspace}.ticker_by_symbol`)).map(({last, high}) => [`${last}`, high])
    await writeRecords(sink, [
      ticker(T0 + 2, {last: '2'}),
      ticker(T0 + 3, {last: '3'}),
      ticker(T0 + 1, {last: '1', high: {value: '9', basis: 'utc-day'}}),
    ])
    expect(await last()).toEqual([['3', null]])
    await writeRecords(sink, [ticker(T0 + 2, {last: '2'})])
    expect(await last()).toEqual([['3', null]])
    await writeRecords(sink, [ticker(T0 + 4, {last: '4'})])
    expect(await last()).toEqual([['4', null]])
  })

  it('keeps the later of two books with one event time, and never some of both', async () => {
    const keyspace = shared()
    const sink = await openSink(keyspace)
    const session = await openSession({keyspace})
    const symbol = 'TIE-KRW'
    const of = (key: string, bid: string, ask: string) =>
      book(T0, {symbol, id: recordId('book', 'upbit', symbol, key), bids: [[bid, '1']], asks: [[ask, '1']]})
    const [first, second] = [of('a', '9', '10'), of('b', '1', '20')]
    const select = `SELECT bids, asks FROM ${keyspace}.book_by_symbol WHERE exchange = 'upbit' AND symbol = '${symbol}'`
    await writeRecords(sink, [first])
    for (const records of [[second], [first], [first, second], [second, first]]) {
      await writeRecords(sink, records)
      const [row] = await session.query(select)
      expect([String(row?.bids), String(row?.asks)]).toEqual(['(1,1)', '(20,1)'])
    }
  })

  it('lists the markets and buckets that it has rows of', async () => {
    const keyspace = await tablesForTest()
    const sink = await openSink(keyspace)
    await writeRecords(sink, [trade('1'), book(T0, {symbol: 'ETH-KRW'}), candle(T0, 1, {symbol: 'XRP-KRW'}), gap(T0)])
    const session = await openSession({keyspace})
    const rows = await session.query(`SELECT symbol FROM ${keyspace}.market`)
    expect(rows.map(({symbol}) => symbol)).toEqual(['BTC-KRW', 'ETH-KRW', 'XRP-KRW'])
    for (const {name} of tablesFor('hour').filter(({record}) => record === 'tradeBucket' || record === 'candleBucket')) {
      expect(await session.query(`SELECT * FROM ${keyspace}.${name}`)).toHaveLength(1)
    }
  })

  it('leaves out rows whose time is over, and gives the others what is left of it', async () => {
    const keyspace = await tablesForTest({ttlSeconds: 600})
    const context = testContext()
    const write = {...WRITE_DEFAULTS, skipExpired: true}
    const sink = createCassandraSink(cassandraOptions({keyspace}), tableOptions({ttlSeconds: 600}), write, context)
    onTestFinished(() => sink.close())
    await sink.connect()
    const arrived = (agoS: number) => (item: ReturnType<typeof sinkItems>[number]) => ({
      ...item,
      message: {...item.message, timestampMs: Date.now() - agoS * 1000},
    })
    const items = [
      ...sinkItems([trade('dead')]).map(arrived(601)),
      ...sinkItems([trade('old')]).map(arrived(500)),
      ...sinkItems([trade('new')]).map(arrived(-5)),
    ]
    expect(await sink.write({group: 'g', items, next: []})).toEqual({refused: [], written: 2})
    expect(context.metrics.total('coinpipe_rows_expired_total')).toBe(1)
    const session = await openSession({keyspace})
    const rows = await session.query(`SELECT id, ttl(price) AS left FROM ${keyspace}.trade_by_symbol`)
    const left = new Map(rows.map(({id, left}) => [id, left]))
    expect([...left.keys()].sort()).toEqual(['new', 'old'])
    expect(left.get('old')).toBeGreaterThan(80)
    expect(left.get('old')).toBeLessThanOrEqual(100)
    expect(left.get('new')).toBeGreaterThan(580)
    expect(left.get('new')).toBeLessThanOrEqual(600)
  })

  it('goes on where a column is added or a table made anew under it, and says what happened where one is dropped', async () => {
    const keyspace = await tablesForTest()
    const sink = await openSink(keyspace)
    const session = await openSession({keyspace})
    await writeRecords(sink, [trade('1')])
    await session.change(`ALTER TABLE ${keyspace}.trade_by_symbol ADD note text`)
    await writeRecords(sink, [trade('2')])
    expect(await storedIds(keyspace)).toEqual(['1', '2'])
    await session.change(`DROP TABLE ${keyspace}.trade_by_symbol`)
    await expect(writeRecords(sink, [trade('3')])).rejects.toBeInstanceOf(CassandraSchemaError)
    await new CassandraTables(session, tableOptions(), testContext()).create()
    await writeRecords(sink, [trade('3')])
    expect(await storedIds(keyspace)).toEqual(['3'])
    await session.change(`DROP KEYSPACE ${keyspace}`)
    await expect(writeRecords(sink, [trade('4')])).rejects.toBeInstanceOf(CassandraSchemaError)
  })

  it('refuses no record for a time to live that Cassandra cannot keep: that ends it', async () => {
    const keyspace = shared()
    const session = await openSession({keyspace})
    const keepFor = (seconds: number) => session.change(`ALTER TABLE ${keyspace}.gap_by_symbol WITH default_time_to_live = ${seconds}`)
    onTestFinished(() => keepFor(3600))
    const sink = await openSink(keyspace)
    await keepFor(MAX_TTL_SECONDS)
    await expect(writeRecords(sink, [gap(T0), gap(T0 + 1)])).rejects.toMatchObject({
      code: 'COINPIPE_CASSANDRA_REQUEST',
      exitCode: EXIT.usage,
    })
  })

  it('asks the nodes that own a row: it hashes keys as Cassandra does', async () => {
    const keyspace = shared()
    const sink = await openSink(keyspace)
    const session = await openSession({keyspace})
    const symbols = Array.from({length: 40}, (_, i) => `${randomBytes(1 + i).toString('base64')}-원${i}`)
    const records = symbols.flatMap((symbol, i) => [trade(`${i}`, {symbol, eventTime: T0 + i * 3_600_000_000}), ticker(T0, {symbol})])
    await writeRecords(sink, records)
    const [byHour, byMarket] = await Promise.all([
      session.query(`SELECT symbol, token(exchange, symbol, bucket_hour) AS hash FROM ${keyspace}.trade_by_symbol`),
      session.query(`SELECT symbol, token(exchange, symbol) AS hash FROM ${keyspace}.ticker_by_symbol`),
    ])
    const tokens = new Map<string, string>()
    for (const {symbol, hash} of byHour) tokens.set(`trade ${symbol}`, String(hash))
    for (const {symbol, hash} of byMarket) tokens.set(`ticker ${symbol}`, String(hash))
    const encoder = rowEncoder()
    for (const record of records) {
      const {routingKey} = encoder.encode(record).partition
      expect(String(session.client.metadata.newToken(routingKey).getValue())).toBe(tokens.get(`${record.type} ${record.symbol}`))
    }
  })
})
