import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {CandleAggregator} from '../../../src/lib/aggregate/candle-aggregator.ts'
import {CandleSnapshotError} from '../../../src/lib/aggregate/errors.ts'
import {DecimalRangeError} from '../../../src/lib/core/decimal-math.ts'
import {CANDLE_INTERVALS, type Candle, type Trade} from '../../../src/lib/core/records.ts'
import {T0, trade} from '../../helpers/market-records.ts'
import {naiveCandles} from './naive-candles.ts'

const SECOND_US = 1_000_000
const FAR_US = 100 * 86_400 * SECOND_US

function addAll(aggregator: CandleAggregator, trades: readonly Trade[], fromOffset = 0): void {
  for (const [index, one] of trades.entries()) aggregator.add(one, fromOffset + index)
}

/** The highest version of each candle: what a store ends up with. */
function latest(candles: readonly Candle[]): Candle[] {
  const byId = new Map<string, Candle>()
  for (const candle of candles) {
    if (candle.version > (byId.get(candle.id)?.version ?? 0)) byId.set(candle.id, candle)
  }
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** Lets all windows close: no trade for long, by the caller's clock. */
function finish(aggregator: CandleAggregator): Candle[] {
  return [...aggregator.flush(0), ...aggregator.flush(FAR_US)]
}

const price = fc.integer({min: 1, max: 99_999}).map((n) => String(n / 100))
const tradeArbitrary = fc
  .record({
    number: fc.integer({min: 0, max: 60}),
    second: fc.integer({min: 0, max: 200}),
    micro: fc.constantFrom(0, 1, 999_999),
    price,
    size: fc.integer({min: 1, max: 9999}).map((n) => String(n / 1000)),
    sequence: fc.option(fc.integer({min: 0, max: 3}).map(String), {nil: undefined}),
    symbol: fc.constantFrom('BTC-KRW', 'ETH-KRW'),
  })
  .map(({number, second, micro, sequence, ...fields}) =>
    trade(String(number), {
      ...fields,
      eventTime: T0 + (86_390 + second) * SECOND_US + micro,
      receivedTime: T0 + 86_600 * SECOND_US,
      ...(sequence ? {sequence} : {}),
    }),
  )
const tradesArbitrary = fc.uniqueArray(tradeArbitrary, {selector: ({id}) => id, maxLength: 60})

describe('CandleAggregator', () => {
  it('gives the windows of an independent count, for any arrival order, repeats and flush places', () => {
    fc.assert(
      fc.property(tradesArbitrary, fc.infiniteStream(fc.nat()), fc.integer({min: 1, max: 9}), (trades, random, flushEvery) => {
        const arrived = [...trades, ...trades.slice(0, 5)]
          .map((one) => ({one, key: random.next().value ?? 0}))
          .sort((a, b) => a.key - b.key)
          .map(({one}) => one)
        const aggregator = new CandleAggregator()
        const candles: Candle[] = []
        for (const [index, one] of arrived.entries()) {
          aggregator.add(one, index)
          if (index % flushEvery === 0) candles.push(...aggregator.flush(0))
        }
        candles.push(...finish(aggregator))
        expect(latest(candles)).toEqual(naiveCandles(trades))
      }),
    )
  })

  it('says what became of each trade', () => {
    const aggregator = new CandleAggregator()
    expect(aggregator.add(trade('1', {eventTime: T0}), 0)).toBe('counted')
    expect(aggregator.add(trade('1', {eventTime: T0}), 1)).toBe('duplicate')
    expect(aggregator.add(trade('1', {symbol: 'ETH-KRW'}), 2)).toBe('counted')
    expect(aggregator.add(trade('2', {eventTime: T0 + 6 * SECOND_US}), 3)).toBe('counted')
    expect(aggregator.add(trade('3', {eventTime: T0 + 999_999}), 4)).toBe('late')
    expect(aggregator.add(trade('4', {eventTime: T0 + SECOND_US}), 5)).toBe('counted')
  })

  it('gives out only changed windows, the version rising with each change', () => {
    const aggregator = new CandleAggregator({intervals: ['1m']})
    const versions: number[] = []
    const collect = (nowUs: number) => versions.push(...aggregator.flush(nowUs).map(({version}) => version))
    aggregator.add(trade('1'), 0)
    collect(0)
    collect(0)
    addAll(aggregator, [trade('2'), trade('3')], 1)
    collect(0)
    aggregator.add(trade('4', {eventTime: T0 + 65 * SECOND_US}), 3)
    collect(0)
    expect(versions).toEqual([2, 6, 7, 2])
  })

  it('closes a window only when event time is past its end by the lateness', () => {
    const aggregator = new CandleAggregator({intervals: ['1s']})
    const closedAt = (id: string, eventTime: number) => {
      aggregator.add(trade(id, {eventTime}), 0)
      return aggregator.flush(0).some(({startTime, closed}) => startTime === T0 && closed)
    }
    expect(closedAt('1', T0)).toBe(false)
    expect(closedAt('2', T0 + 6 * SECOND_US - 1)).toBe(false)
    expect(closedAt('3', T0 + 6 * SECOND_US)).toBe(true)
  })

  it('corrects a closed candle when a late trade comes', () => {
    const aggregator = new CandleAggregator({intervals: ['1s']})
    aggregator.add(trade('2', {price: '10'}), 0)
    aggregator.add(trade('9', {eventTime: T0 + 60 * SECOND_US}), 1)
    const [closed] = aggregator.flush(0)
    aggregator.add(trade('1', {price: '12'}), 2)
    const [corrected] = aggregator.flush(0)
    expect(closed).toMatchObject({closed: true, version: 3, open: '10', close: '10', trades: 1})
    expect(corrected).toMatchObject({closed: true, version: 5, open: '12', close: '10', high: '12', trades: 2})
  })

  it('closes the windows of a market that fell silent, by the clock it is given', () => {
    const aggregator = new CandleAggregator({intervals: ['1s', '1m']})
    aggregator.add(trade('1'), 0)
    const open = aggregator.flush(7)
    expect(open.map(({closed}) => closed)).toEqual([false, false])
    expect(aggregator.flush(7 + 9 * SECOND_US)).toEqual([])
    expect(aggregator.flush(7 + 10 * SECOND_US).map(({interval, closed}) => [interval, closed])).toEqual([['1s', true]])
    expect(aggregator.flush(7 + 65 * SECOND_US).map(({interval, closed}) => [interval, closed])).toEqual([['1m', true]])
  })

  it('does not let a stamp from the future close the windows of the present', () => {
    const aggregator = new CandleAggregator({intervals: ['1s']})
    aggregator.add(trade('1'), 0)
    aggregator.add(trade('2', {eventTime: T0 + FAR_US, receivedTime: T0}), 1)
    expect(aggregator.flush(0).every(({closed}) => !closed)).toBe(true)
    expect(aggregator.add(trade('3', {eventTime: T0 + 500_000}), 2)).toBe('counted')
  })

  it('refuses what DECIMAL(38,18) cannot hold, and goes on as if it had never come', () => {
    const aggregator = new CandleAggregator({intervals: ['1d']})
    const huge = '90000000000000000000'
    aggregator.add(trade('1', {price: '1', size: huge}), 0)
    expect(() => aggregator.add(trade('2', {price: '1', size: huge}), 1)).toThrow(DecimalRangeError)
    expect(() => aggregator.add(trade('3', {price: huge, size: '2'}), 2)).toThrow(DecimalRangeError)
    expect(() => aggregator.add(trade('4', {price: '0.0000000001', size: '0.0000000001'}), 3)).toThrow(DecimalRangeError)
    expect(() => aggregator.add(trade('5', {price: 'NaN'}), 4)).toThrow(DecimalRangeError)
    expect(aggregator.flush(0)).toMatchObject([{trades: 1, volumeBase: huge, volumeQuote: huge}])
    expect(() => aggregator.add(trade('6', {price: '1', size: huge}), 5)).toThrow(DecimalRangeError)
    expect(aggregator.add(trade('2', {price: '1', size: '1'}), 6)).toBe('counted')
  })

  it('keeps sums exact where doubles do not', () => {
    const aggregator = new CandleAggregator({intervals: ['1s']})
    addAll(aggregator, [trade('1', {price: '0.1', size: '0.1'}), trade('2', {price: '0.2', size: '0.2'})])
    expect(aggregator.flush(0)).toMatchObject([{volumeBase: '0.3', volumeQuote: '0.05'}])
  })
})

describe('CandleAggregator after a restart', () => {
  it('goes on from a snapshot as if nothing had happened', () => {
    fc.assert(
      fc.property(tradesArbitrary, fc.nat(60), fc.boolean(), (trades, cut, flushed) => {
        const before = trades.slice(0, cut)
        const first = new CandleAggregator()
        const candles: Candle[] = []
        addAll(first, before)
        if (flushed) candles.push(...first.flush(0))
        const second = CandleAggregator.restore(first.snapshot())
        for (const [offset, one] of before.entries()) if (offset >= second.rememberFrom) second.remember(one, offset)
        // The tail is read again, so that every trade comes twice.
        addAll(second, trades)
        candles.push(...finish(second))
        expect(latest(candles)).toEqual(naiveCandles(trades))
      }),
    )
  })

  it('gives the same content for the same version when it counts the same trades again, flushing elsewhere', () => {
    fc.assert(
      fc.property(tradesArbitrary, fc.integer({min: 1, max: 9}), fc.integer({min: 1, max: 9}), (trades, every, otherEvery) => {
        const published = (flushEvery: number) => {
          const aggregator = new CandleAggregator()
          const candles: Candle[] = []
          for (const [offset, one] of trades.entries()) {
            aggregator.add(one, offset)
            if (offset % flushEvery === 0) candles.push(...aggregator.flush(0))
          }
          return [...candles, ...finish(aggregator)]
        }
        const content = new Map(published(every).map((candle) => [`${candle.id} ${candle.version}`, candle]))
        for (const candle of published(otherEvery)) {
          const same = content.get(`${candle.id} ${candle.version}`)
          if (same) expect(candle).toEqual(same)
        }
      }),
    )
  })

  it('gives out after the restart what was not given out before', () => {
    const first = new CandleAggregator({intervals: ['1m']})
    first.add(trade('1'), 0)
    const second = CandleAggregator.restore(first.snapshot(), {intervals: ['1m']})
    expect(second.flush(0)).toMatchObject([{trades: 1, version: 2}])
  })

  it('leaves out an interval that is no longer asked for, and begins a new one', () => {
    const first = new CandleAggregator({intervals: ['1s', '1m']})
    first.add(trade('1'), 0)
    first.flush(0)
    const second = CandleAggregator.restore(first.snapshot(), {intervals: ['1m', '1h']})
    second.add(trade('2'), 1)
    expect(second.flush(0).map(({interval, trades}) => [interval, trades])).toEqual([
      ['1m', 2],
      ['1h', 1],
    ])
  })

  it('refuses a snapshot that it cannot read', () => {
    for (const text of ['', '{}', '[]', '[2,[],[]]']) expect(() => CandleAggregator.restore(text)).toThrow(CandleSnapshotError)
  })
})

describe('windows that were dropped from memory', () => {
  const options = {intervals: ['1s' as const], keep: {'1s': 2}}
  const seconds = (from: number, to: number) =>
    Array.from({length: to - from}, (_, i) => trade(`t${from + i}`, {eventTime: T0 + (from + i) * SECOND_US}))

  it('are asked for, and go on from what was published', () => {
    const asked: string[] = []
    const published = new Map<number, Candle>()
    const aggregator = new CandleAggregator({
      ...options,
      lookup: (_market, interval, start) => {
        asked.push(`${interval} ${start - T0}`)
        return published.get(start) ?? null
      },
    })
    addAll(aggregator, seconds(0, 20))
    for (const candle of aggregator.flush(0)) published.set(candle.startTime, candle)
    aggregator.add(trade('late', {price: '60000000', size: '0.02'}), 20)
    const [corrected] = aggregator.flush(0)
    expect(asked).toEqual(['1s 0'])
    expect(corrected).toMatchObject({version: 5, trades: 2, high: '60000000', volumeBase: '0.03', open: '50000000', close: '50000000'})
  })

  it('are not asked for where they never were in memory', () => {
    const aggregator = new CandleAggregator({
      ...options,
      lookup: () => {
        throw new Error('asked')
      },
    })
    addAll(aggregator, seconds(10, 20))
    expect(aggregator.flush(0)).toHaveLength(10)
    addAll(aggregator, seconds(20, 22), 10)
    expect(aggregator.flush(0).length).toBeGreaterThan(0)
  })
})

it('covers every interval by default', () => {
  const aggregator = new CandleAggregator()
  aggregator.add(trade('1'), 0)
  expect(aggregator.flush(0).map(({interval}) => interval)).toEqual([...CANDLE_INTERVALS])
})
