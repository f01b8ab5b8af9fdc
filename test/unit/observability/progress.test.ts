import {describe, expect, it, vi} from 'vitest'
import {systemClock} from '../../../src/lib/core/clock.ts'
import {createProgress, formatProgress} from '../../../src/lib/observability/progress.ts'
import {createStatusStream} from '../../../src/lib/observability/status-stream.ts'

describe('formatProgress', () => {
  it('shows totals with rates, then values', () => {
    const before = {totals: {logged: 1_000, stored: 990}}
    const now = {totals: {logged: 5_000, stored: 4_990}, values: {lag: 10_000, spill: 'off'}}
    expect(formatProgress(now, before, 2)).toBe('logged 5,000 (2,000/s) · stored 4,990 (2,000/s) · lag 10,000 · spill off')
  })

  it('shows no rate that is infinite or negative', () => {
    expect(formatProgress({totals: {sent: 5}}, {totals: {}}, 0)).toBe('sent 5 (0/s)')
    expect(formatProgress({totals: {sent: 5}}, {totals: {sent: 9}}, 1)).toBe('sent 5 (0/s)')
  })
})

describe('createProgress', () => {
  const run = ({columns = 80, ...options}: {isTTY: boolean; enabled?: boolean; columns?: number}) => {
    vi.useFakeTimers({toFake: ['setInterval', 'clearInterval', 'performance']})
    const written: string[] = []
    const stream = createStatusStream({isTTY: options.isTTY, columns, write: (text) => written.push(text)})
    let total = 0
    const read = () => {
      total += 100
      return {totals: {sent: total}}
    }
    const progress = createProgress({stream, clock: systemClock, read, ...options})
    vi.advanceTimersByTime(2_500)
    progress.stop()
    progress.stop()
    vi.advanceTimersByTime(2_500)
    vi.useRealTimers()
    return written
  }

  it('rewrites one line a second and takes it away at the end', () => {
    expect(run({isTTY: true})).toEqual(['\r\u001b[Ksent 200 (100/s)', '\r\u001b[Ksent 300 (100/s)', '\r\u001b[K'])
  })

  it('takes a terminal that does not know its width for one of the usual width', () => {
    expect(run({isTTY: true, columns: 0})).toEqual(run({isTTY: true}))
  })

  it('is silent off a terminal and when switched off', () => {
    expect(run({isTTY: false})).toEqual([])
    expect(run({isTTY: true, enabled: false})).toEqual([])
  })
})
