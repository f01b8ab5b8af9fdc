import {describe, expect, it} from 'vitest'
import type {CoinRecord, Gap, Trade} from '../../../../src/lib/core/records.ts'
import {resumePoints} from '../../../../src/lib/exchanges/feed/resume.ts'
import {gapRecord} from '../../../../src/lib/exchanges/feed/trade-gap.ts'

const SECOND = 1_000_000
const START = 1_700_000_000 * SECOND

function trade(tradeId: string, seconds: number, symbol = 'BTC-KRW'): Trade {
  const eventTime = START + seconds * SECOND
  const common = {exchange: 'upbit', symbol, price: '1', size: '1', side: 'buy', receivedTime: eventTime} as const
  return {type: 'trade', id: `trade:upbit:${symbol}:${tradeId}`, tradeId, eventTime, ...common}
}

function gap(state: Gap['state'], fromSeconds: number, fields: Partial<Gap> = {}): Gap {
  const from = START + fromSeconds * SECOND
  const common = {
    exchange: 'upbit',
    symbol: 'BTC-KRW',
    channel: 'trade',
    reason: 'closed',
    to: null,
    filled: 0,
    receivedTime: from,
  } as const
  return gapRecord({...common, from, state, ...fields})
}

function pointOf(records: CoinRecord[], symbol = 'BTC-KRW') {
  return resumePoints(records).points.get(symbol)
}

describe('resumePoints', () => {
  it('knows nothing of an empty log: nothing was missed', () => {
    expect(resumePoints([])).toEqual({points: new Map(), since: null})
  })

  it('goes on after the newest event time, with the ids of the seconds before it', () => {
    const point = pointOf([trade('1', 0), trade('2', 7), trade('3', 10), trade('4', 9)])
    expect(point).toEqual({eventTime: START + 10 * SECOND, ids: new Set(['2', '3', '4']), lastId: '3', gaps: []})
  })

  it('keeps symbols apart', () => {
    const {points} = resumePoints([trade('1', 3), trade('1', 5, 'ETH-KRW')])
    expect(points.get('BTC-KRW')?.eventTime).toBe(START + 3 * SECOND)
    expect(points.get('ETH-KRW')?.eventTime).toBe(START + 5 * SECOND)
  })

  it('names the gaps that were never filled, and the ids since the oldest of them', () => {
    const [first, second] = [gap('open', 10, {to: START + 12 * SECOND}), gap('open', 20)]
    const records = [trade('1', 0), trade('2', 6), gap('open', 10), trade('4', 12), first, second, trade('5', 60), trade('3', 30)]
    expect(pointOf(records)).toEqual({
      eventTime: START + 60 * SECOND,
      ids: new Set(['2', '4', '5', '3']),
      lastId: '5',
      gaps: [first, second],
    })
  })

  it.each(['filled', 'unfillable'] as const)('forgets a gap that is %s', (state) => {
    const records = [gap('open', 0), trade('2', 40), gap('open', 0), gap(state, 0)]
    expect(pointOf(records)).toMatchObject({eventTime: START + 40 * SECOND, gaps: []})
  })

  it.each([
    ['its start', null, START],
    ['its end, where that is known', START + 3 * SECOND, START + 3 * SECOND],
  ])('goes back to a gap whose only trace in the tail is a repeat: to %s', (_name, to, eventTime) => {
    const open = gap('open', 0, {fromId: '4', to})
    expect(pointOf([open])).toEqual({eventTime, ids: new Set(), gaps: [open]})
  })

  it('takes no notice of gaps of other channels', () => {
    expect(pointOf([trade('2', 40), gap('open', 0, {channel: 'book'})])?.eventTime).toBe(START + 40 * SECOND)
  })

  it('passes on where the tail starts, for symbols without a trade in it', () => {
    expect(resumePoints([trade('1', 0)], START - SECOND).since).toBe(START - SECOND)
  })

  it('holds only the ids it needs of a long tail', () => {
    const records = function* () {
      for (let i = 0; i < 100_000; i++) yield trade(String(i), i / 1000)
    }
    const point = resumePoints(records()).points.get('BTC-KRW')
    expect(point?.eventTime).toBe(START + 99.999 * SECOND)
    expect(point?.ids.size).toBe(5001)
  })
})
