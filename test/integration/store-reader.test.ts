import {join} from 'node:path'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {InvalidInputError} from '../../src/lib/core/errors.ts'
import {encodeBatch} from '../../src/lib/store/embedded/encode.ts'
import {openMarketReader} from '../../src/lib/store/embedded/reader.ts'
import {DEFAULT_RETENTION} from '../../src/lib/store/embedded/sink.ts'
import {StoreWriter} from '../../src/lib/store/embedded/writer.ts'
import {testContext} from '../helpers/context.ts'
import {sinkItems, T0, trade} from '../helpers/market-records.ts'
import {tempDir} from '../helpers/temp-dir.ts'

describe('the newest trades of a market', () => {
  it('are the same as sorting all of them, whatever order they came in and whatever retention took', async () => {
    const folder = await tempDir()
    let run = 0
    const seconds = fc.array(fc.tuple(fc.nat(40), fc.constantFrom('BTC-KRW', 'ETH-KRW')), {minLength: 1, maxLength: 60})
    await fc.assert(
      fc.asyncProperty(seconds, fc.integer({min: 1, max: 12}), fc.integer({min: 1, max: 80}), async (arrivals, limit, kept) => {
        const path = join(folder, `${run++}.sqlite`)
        const writer = new StoreWriter(path, 1000, {...DEFAULT_RETENTION, maxTrades: kept})
        const trades = arrivals.map(([second, symbol], i) => trade(String(i), {symbol, eventTime: T0 + second}))
        writer.write(encodeBatch({group: 'g', items: sinkItems(trades), next: []}).batch)
        writer.retain(0)
        const reader = openMarketReader({path}, testContext())
        await reader.connect()
        const found = await reader.trades({exchange: 'upbit', symbol: 'BTC-KRW', limit})
        await reader.close()
        writer.close()
        const expected = trades
          .slice(-kept)
          .filter(({symbol}) => symbol === 'BTC-KRW')
          .sort((a, b) => b.eventTime - a.eventTime || Number(b.tradeId) - Number(a.tradeId))
          .slice(0, limit)
        expect(found.trades).toEqual(expected)
      }),
      {numRuns: 60},
    )
  })
})

describe('the reader of the store', () => {
  it.each(['', 'x', '-1', '1e3', '9'.repeat(20)])('refuses %j as a cursor', async (after) => {
    const path = join(await tempDir(), 'store.sqlite')
    new StoreWriter(path, 1000, DEFAULT_RETENTION).close()
    const reader = openMarketReader({path}, testContext())
    await reader.connect()
    await expect(reader.trades({exchange: 'upbit', symbol: 'BTC-KRW', limit: 1, after})).rejects.toBeInstanceOf(InvalidInputError)
    await reader.close()
  })

  it('sums a range of more trades than it reads in one step', async () => {
    const path = join(await tempDir(), 'store.sqlite')
    const writer = new StoreWriter(path, 1000, DEFAULT_RETENTION)
    // Many trades share an event time, so that steps end between equal ones.
    const trades = Array.from({length: 12_001}, (_, i) => trade(String(i), {eventTime: T0 + (i % 3), price: '2', size: '0.001'}))
    writer.write(encodeBatch({group: 'g', items: sinkItems(trades), next: []}).batch)
    const reader = openMarketReader({path}, testContext())
    await reader.connect()
    expect(await reader.volume({from: T0, to: T0 + 3})).toEqual([
      {exchange: 'upbit', symbol: 'BTC-KRW', volumeBase: '12.001', volumeQuote: '24.002', trades: 12_001},
    ])
    await reader.close()
    writer.close()
  })
})
