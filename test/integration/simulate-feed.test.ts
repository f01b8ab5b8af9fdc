import {describe, expect, it} from 'vitest'
import type {Trade} from '../../src/lib/core/records.ts'
import {findExchange} from '../../src/lib/exchanges/registry.ts'
import {parseFaults} from '../../src/lib/simulate/faults.ts'
import {testContext} from '../helpers/context.ts'
import {ledgerKeys, simulator} from '../helpers/simulator.ts'
import {until} from '../helpers/until.ts'

const FAULTS = [
  'garbage=malformed@500ms,garbage=unknown@500ms,garbage=missing@500ms,garbage=huge@500ms,garbage=nan@500ms,garbage=negative@500ms',
  'drop@1s,refuse@1s:500ms,rest=429x2@1s,rest=500@1s,duplicate=200@2s,drop=1011@2500ms,freeze@3s:200ms',
].join(',')

describe('the feed against the simulator', () => {
  it('has each trade exactly once, whatever fails', async () => {
    const sim = await simulator({maxTrades: 4000, tradesPerSecond: 1000, lateShare: 0.05, faults: parseFaults(FAULTS)})
    const context = testContext()
    const feed = findExchange('upbit').createFeed({channels: ['trade', 'book'], symbols: 'all', url: sim.url}, context)
    await feed.connect()
    const trades: Trade[] = []
    const refused: string[] = []
    const reading = (async () => {
      for await (const delivery of feed.deliveries(context.signal)) {
        for (const item of delivery.items) {
          if (item.kind === 'rejected') refused.push(item.rejected.code)
          else if (item.record.type === 'trade') trades.push(item.record)
        }
        await delivery.ack()
      }
    })()
    await sim.finished
    await until('every trade', () => trades.length >= 4000, 30_000)
    context.abort()
    await reading
    await feed.close()
    const got = trades.map(({symbol, tradeId, price}) => `${symbol.split('-').reverse().join('-')} ${tradeId} ${Number(price)}`)
    expect(got.sort()).toEqual(ledgerKeys(sim))
    expect(refused).toHaveLength(6)
    expect(sim.stats().faults).toEqual({skipped: 0, duplicated: 200, garbage: 6, stalled: 0})
  })
})
