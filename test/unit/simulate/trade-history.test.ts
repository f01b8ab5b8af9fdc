import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {TradeHistory} from '../../../src/lib/simulate/trade-history.ts'
import {blockOf, idOffset, type TradeId} from '../../../src/lib/simulate/trade-ids.ts'

const START_MS = 1_763_700_000_000
const ALL = {before: null, fromMs: 0, untilMs: Number.POSITIVE_INFINITY}

/** A history with a trade after each of these pauses. */
function historyOf(pausesMs: readonly number[], capacity = 1_000_000): TradeHistory {
  const history = new TradeHistory(capacity)
  let [timeMs, blockMs, k] = [START_MS, 0, 0]
  for (const pauseMs of pausesMs) {
    timeMs += pauseMs
    k = blockOf(timeMs) === blockMs ? k + 1 : 0
    blockMs = blockOf(timeMs)
    history.add(timeMs, 0, idOffset(k), history.count + 1, 1)
  }
  return history
}

describe('TradeHistory', () => {
  it('pages through every trade exactly once, by falling id, whatever the page size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({min: 0, max: 900}), {minLength: 1, maxLength: 300}),
        fc.integer({min: 1, max: 50}),
        (pausesMs, count) => {
          const history = historyOf(pausesMs)
          const prices: number[] = []
          const ids: number[] = []
          let before: TradeId | null = null
          for (;;) {
            const page = history.page({...ALL, count, before})
            const last = page.at(-1)
            if (last === undefined) break
            prices.push(...page.map((trade) => trade.priceUnits))
            ids.push(...page.map((trade) => blockOf(trade.sentMs) * 10_000 + trade.idOffset))
            before = {blockMs: blockOf(last.sentMs), offset: last.idOffset}
          }
          expect(prices.toSorted((a, b) => a - b)).toEqual(pausesMs.map((_, i) => i + 1))
          expect(ids).toEqual(ids.toSorted((a, b) => b - a))
        },
      ),
    )
  })

  it('keeps the newest trades when full', () => {
    const history = historyOf(Array(5000).fill(1), 2000)
    expect(history.count).toBe(5000)
    expect(history.first).toBe(3000)
    expect(history.at(3000).priceUnits).toBe(3001)
    expect(history.page({...ALL, count: 500}).every((trade) => trade.priceUnits > 3000)).toBe(true)
    expect(history.indexAt(0)).toBe(3000)
  })

  it('filters by event time', () => {
    const history = new TradeHistory(10)
    history.add(START_MS, 500, 1, 1, 1)
    history.add(START_MS + 100, 0, 2, 2, 1)
    const page = (fromMs: number, untilMs: number) =>
      history.page({count: 9, before: null, fromMs, untilMs}).map((trade) => trade.priceUnits)
    expect(page(START_MS - 500, START_MS)).toEqual([1])
    expect(page(START_MS, START_MS + 100)).toEqual([])
    expect(page(START_MS, START_MS + 101)).toEqual([2])
  })
})
