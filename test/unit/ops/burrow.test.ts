import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {type Commit, judgeGroup, judgePartition, type PartitionStatus} from '../../../src/lib/ops/burrow.ts'

/** Commits 100 ms apart, from [offset, lag]. */
function commits(...pairs: readonly (readonly [number, number])[]): Commit[] {
  return pairs.map(([offset, lag], at) => ({offset, lag, atMs: (at + 1) * 100}))
}

const SLOW = commits([1000, 50], [2000, 100], [3000, 150], [4000, 200], [5000, 250])
const HELD = commits([1000, 100], [1000, 150], [1000, 200], [1000, 250], [1000, 300])

/** The last commit of five is at 500, the window 400 long: silence counts as a stop after 900. */
const CASES: readonly {name: string; commits: Commit[]; ends?: number[]; lag: number; now: number; status: PartitionStatus}[] = [
  {name: 'no commit yet', commits: [], lag: 10, now: 600, status: 'OK'},
  {name: 'no lag now, whatever was before', commits: HELD, lag: 0, now: 9000, status: 'OK'},
  {name: 'caught up once in the window', commits: commits([10, 0], [20, 5], [30, 10]), lag: 10, now: 400, status: 'OK'},
  {name: 'held at one place, but caught up once', commits: commits([10, 0], [10, 5], [10, 10]), lag: 10, now: 400, status: 'OK'},
  {name: 'moving while the lag grows', commits: SLOW, lag: 250, now: 600, status: 'WARN'},
  {name: 'moving at the same lag', commits: commits([10, 5], [20, 5], [30, 5]), lag: 5, now: 400, status: 'WARN'},
  {name: 'the lag fell once', commits: commits([10, 50], [20, 60], [30, 59], [40, 90]), lag: 90, now: 500, status: 'OK'},
  {name: 'held while the lag grows', commits: HELD, lag: 300, now: 600, status: 'STALL'},
  {name: 'held at the same lag', commits: commits([10, 5], [10, 5], [10, 5]), lag: 5, now: 400, status: 'STALL'},
  {name: 'back once, even if the lag falls', commits: commits([10, 90], [30, 80], [20, 70], [40, 60]), lag: 60, now: 500, status: 'REWIND'},
  {name: 'silent for exactly as long as the window', commits: SLOW, lag: 250, now: 900, status: 'WARN'},
  {name: 'silent for longer', commits: SLOW, lag: 250, now: 901, status: 'STOP'},
  {name: 'stopped is worse than held', commits: HELD, lag: 300, now: 901, status: 'STOP'},
  {name: 'stopped, although caught up long ago', commits: commits([10, 0], [20, 5]), ends: [30, 40], lag: 20, now: 400, status: 'STOP'},
  {name: 'silent, but caught up lately', commits: commits([10, 5], [20, 5]), ends: [20, 20, 30], lag: 10, now: 400, status: 'WARN'},
  {name: 'one commit, then silence', commits: commits([10, 5]), lag: 5, now: 101, status: 'STOP'},
]

describe('judgePartition', () => {
  it.each(CASES)('$status: $name', ({commits, ends = [], lag, now, status}) => {
    expect(judgePartition({commits, ends, lag}, now)).toBe(status)
  })

  const offsets = fc.array(fc.tuple(fc.nat(50), fc.nat(20)), {minLength: 1, maxLength: 10})

  it('never complains of a partition without lag', () => {
    fc.assert(
      fc.property(offsets, fc.nat(10_000), (pairs, silence) => {
        const window = {commits: commits(...pairs), ends: [], lag: 0}
        expect(judgePartition(window, pairs.length * 100 + silence)).toBe('OK')
      }),
    )
  })

  it('stops, whatever the commits were, once silence is longer than the window', () => {
    fc.assert(
      fc.property(offsets, fc.integer({min: 1, max: 20}), (pairs, lag) => {
        const now = pairs.length * 100 + (pairs.length - 1) * 100 + 1
        expect(judgePartition({commits: commits(...pairs), ends: [1000], lag}, now)).toBe('STOP')
      }),
    )
  })

  it('has one reason for each complaint', () => {
    fc.assert(
      fc.property(offsets, fc.integer({min: 1, max: 20}), (pairs, lag) => {
        const status = judgePartition({commits: commits(...pairs), ends: [], lag}, pairs.length * 100)
        const steps = pairs.slice(1).map(([offset, lag], at) => ({by: offset - pairs[at]![0], lag: lag - pairs[at]![1]}))
        if (pairs.some(([, lag]) => lag === 0)) expect(status).toBe('OK')
        else if (steps.some(({by}) => by < 0)) expect(status).toBe('REWIND')
        else if (steps.every(({by}) => by === 0)) expect(status).toBe('STALL')
        else expect(status).toBe(steps.every(({lag}) => lag >= 0) ? 'WARN' : 'OK')
      }),
    )
  })
})

describe('judgeGroup', () => {
  it.each([
    [[], 'OK'],
    [['OK', 'OK'], 'OK'],
    [['OK', 'WARN'], 'WARN'],
    [['WARN', 'STOP'], 'ERR'],
    [['STALL', 'OK'], 'ERR'],
    [['REWIND'], 'ERR'],
  ] as const)('%j is %s', (partitions, status) => {
    expect(judgeGroup(partitions)).toBe(status)
  })
})
