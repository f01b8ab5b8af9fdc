import {onTestFinished} from 'vitest'
import type {SimulatorOptions} from '../../src/lib/simulate/options.ts'
import {type Simulator, startSimulator} from '../../src/lib/simulate/simulator.ts'
import {testContext} from './context.ts'
import {until} from './until.ts'
import type {TestClient} from './upbit-client.ts'

/** The markets of {@link simulator}. */
export const CODES = ['KRW-BTC', 'KRW-ETH', 'KRW-XRP']

/** Asks for the trades of all of them. */
export const TRADES = {type: 'trade', codes: CODES, is_only_realtime: true}

/** A simulator of three markets that is closed when the test is over. */
export async function simulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const started = await startSimulator({symbols: ['BTC-KRW', 'ETH-KRW', 'XRP-KRW'], tradesPerSecond: 2000, ...options}, testContext())
  onTestFinished(() => started.close())
  return started
}

/** Market, id and price of every trade that the simulator made, sorted. */
export function ledgerKeys(sim: Simulator): string[] {
  return [...sim.ledger.trades()].map((trade) => `${trade.market} ${trade.sequentialId} ${Number(trade.price)}`).sort()
}

/** The same of what a client got, in either style of names. */
export function tradeKeys(client: TestClient): string[] {
  const trades = client.frames
    .join('\n')
    .matchAll(/"(?:code|cd)":"([^"]+)".*?"(?:trade_price|tp)":([^,]+).*?"(?:sequential_id|sid)":(\d+)/g)
  return [...trades].map(([, code, price, id]) => `${code} ${id} ${Number(price)}`).sort()
}

/** Waits until the market has ended and `count` trades have come. */
export async function complete(sim: Simulator, client: TestClient, count: number): Promise<void> {
  await sim.finished
  await until('all trades arrive', () => tradeKeys(client).length >= count)
}
