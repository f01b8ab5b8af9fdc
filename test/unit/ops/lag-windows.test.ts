import {describe, expect, it} from 'vitest'
import {WINDOW_SIZE} from '../../../src/lib/ops/burrow.ts'
import type {LagRow} from '../../../src/lib/ops/groups.ts'
import {LagWindows, verdictLine} from '../../../src/lib/ops/lag-windows.ts'

function row(committed: number | null, latest: number, memberId: string | null = 'm', partition = 0): LagRow {
  return {group: 'g', topic: 't', partition, committed, latest, lag: latest - (committed ?? 0), memberId, clientId: memberId, host: null}
}

/** One look each second; the verdict of the last. */
function watch(looks: readonly (readonly LagRow[])[]) {
  const windows = new LagWindows()
  return looks.map((rows, second) => windows.observe(rows, second * 1000)).at(-1)!
}

const seconds = (count: number, at: (second: number) => LagRow) => Array.from({length: count}, (_, second) => [at(second)])

describe('LagWindows', () => {
  it('judges nothing before the window is full, and says how full it is', () => {
    const [verdict] = watch(seconds(WINDOW_SIZE - 1, () => row(5, 10)))
    expect(verdict).toMatchObject({group: 'g', status: 'OK', complete: 0.9, lag: 5, partitions: [{status: 'OK'}]})
    expect(verdictLine(verdict!)).toBe('g: not judged yet (look 9 of 10), 5 records behind')
  })

  it.each([
    ['STALL', 'ERR', 'a member holds it and does not move', (second: number) => row(5, 10 + second)],
    ['STOP', 'ERR', 'nobody holds it and nothing moves it', (second: number) => row(5, 10 + second, null)],
    ['WARN', 'WARN', 'a member moves, but slower than the log', (second: number) => row(second, 10 + 2 * second)],
    ['OK', 'OK', 'a member catches up', (second: number) => row(2 * second, 100 + second)],
    ['OK', 'OK', 'it is at the end', (second: number) => row(second, second)],
    ['REWIND', 'ERR', 'somebody put it back', (second: number) => row(second < 8 ? 50 : 10, 100)],
    ['OK', 'OK', 'it never committed', (second: number) => row(null, 10 + second)],
  ] as const)('%s: %s where %s', (status, group, _, at) => {
    const [verdict] = watch(seconds(WINDOW_SIZE, at))
    expect(verdict).toMatchObject({status: group, complete: 1, partitions: [{status}]})
  })

  it('takes commits without a member for what they are, and their end for a stop', () => {
    const commitsUntil = (last: number, looks: number) => watch(seconds(looks, (second) => row(Math.min(second, last), 100, null)))
    expect(commitsUntil(9, 10)[0]?.status).toBe('OK')
    expect(commitsUntil(9, 19)[0]?.status).toBe('OK')
    expect(commitsUntil(9, 20)[0]?.partitions[0]?.status).toBe('STOP')
  })

  it('is as bad as the worst of its partitions, and as complete as the newest', () => {
    const looks = seconds(WINDOW_SIZE, () => row(5, 10)).map((rows, second) => (second < 5 ? rows : [...rows, row(5, 5, 'm', 1)]))
    expect(watch(looks)).toMatchObject([
      {
        status: 'ERR',
        complete: 0.5,
        partitions: [
          {status: 'STALL', complete: 1},
          {status: 'OK', complete: 0.5},
        ],
      },
    ])
  })

  it('forgets what is gone', () => {
    const held = seconds(WINDOW_SIZE, () => row(5, 10))
    expect(watch([...held, [], [row(5, 10)]])[0]).toMatchObject({complete: 0.1})
  })
})
