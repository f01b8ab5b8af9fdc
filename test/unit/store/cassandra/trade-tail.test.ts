import {describe, expect, it} from 'vitest'
import {InvalidInputError} from '../../../../src/lib/core/errors.ts'
import type {Trade} from '../../../../src/lib/core/records.ts'
import {KEPT_TRADES, TradeTail} from '../../../../src/lib/store/cassandra/trade-tail.ts'
import {T0, trade} from '../../../helpers/market-records.ts'

const at = (second: number, id = `t${second}`): Trade => trade(id, {eventTime: T0 + second * 1_000_000})
const range = (from: number, to: number): Trade[] => Array.from({length: to - from}, (_, i) => at(from + i))
const ids = ({trades}: {readonly trades: readonly Trade[]}) => trades.map(({tradeId}) => tradeId)

function begun(trades: readonly Trade[], complete = false): TradeTail {
  const tail = new TradeTail('tail')
  tail.take({trades, complete, jumped: false})
  return tail
}

describe('the tail of a market', () => {
  it('gives each trade that it has not seen a place behind the others, by event time where they came together', () => {
    const tail = begun([at(3), at(1)])
    const start = tail.cursor
    expect(tail.since(start, 9)).toEqual({trades: [], cursor: start})
    tail.take({trades: [at(5), at(4), at(3)], complete: false, jumped: false})
    tail.take({trades: [at(5), at(4), at(3), at(2)], complete: false, jumped: false})
    const first = tail.since(start, 2)
    expect(ids(first)).toEqual(['t4', 't5'])
    expect(ids(tail.since(first.cursor, 2))).toEqual(['t2'])
  })

  it('does not take for new what is older than all that it was begun with', () => {
    const tail = begun([at(3), at(2)])
    tail.take({trades: [at(3), at(2), at(1)], complete: true, jumped: false})
    expect(ids(tail.since('tail.0', 9))).toEqual([])
    const all = begun([at(3), at(2)], true)
    all.take({trades: [at(3), at(2), at(1)], complete: true, jumped: false})
    expect(ids(all.since('tail.0', 9))).toEqual(['t1'])
  })

  it('gives up what may lie between two looks that do not meet', () => {
    const tail = begun([at(0)], true)
    tail.take({trades: range(100, 110).reverse(), complete: false, jumped: true})
    tail.take({trades: range(50, 110).reverse(), complete: false, jumped: false})
    expect(ids(tail.since('tail.0', 99))).toEqual(range(100, 110).map(({tradeId}) => tradeId))
  })

  it('shows a trade once that is stored twice, at two event times', () => {
    const tail = begun([at(1)])
    tail.take({trades: [at(3, 'a')], complete: false, jumped: false})
    tail.take({trades: [at(4, 'a'), at(2, 'a')], complete: false, jumped: false})
    expect(ids(tail.since('tail.0', 9))).toEqual(['a'])
  })

  it('keeps a bounded number of trades and ids, and forgets the oldest', () => {
    const tail = begun([at(0)], true)
    for (let start = 0; start < 50_000; start += 1000)
      tail.take({trades: range(start + 1, start + 1001).reverse(), complete: false, jumped: false})
    const left = tail.since('tail.0', 100_000)
    expect(left.trades.length).toBeGreaterThanOrEqual(KEPT_TRADES)
    expect(left.trades.length).toBeLessThanOrEqual(2 * KEPT_TRADES)
    expect(left.trades.at(-1)?.tradeId).toBe('t50000')
    expect(left.cursor).toBe('tail.50000')
    tail.take({trades: [at(1), at(2, 'never seen')], complete: false, jumped: false})
    expect(tail.cursor).toBe('tail.50000')
    expect(tail.knows('t50000', T0 / 1000 + 50_000_000)).toBe(true)
  })

  it('refuses cursors of another tail, of times to come, and other texts', () => {
    const tail = begun([at(1)])
    for (const cursor of ['other.0', 'tail.1', 'tail', 'tail.-1', '17', '', 'tail.0x1', 'TAIL.0']) {
      expect(() => tail.since(cursor, 9), cursor).toThrow(InvalidInputError)
    }
  })
})
