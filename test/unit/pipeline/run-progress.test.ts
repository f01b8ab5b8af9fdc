import {describe, expect, it} from 'vitest'
import {formatProgress} from '../../../src/lib/observability/progress.ts'
import type {LagReading} from '../../../src/lib/pipeline/lag-estimate.ts'
import {progressOf} from '../../../src/lib/pipeline/run-progress.ts'

const stage = (component: string, reading: LagReading | null = null) => ({component, lag: {reading, caughtUp: null}})

function line(...stages: ReturnType<typeof stage>[]): string {
  const fields = progressOf(stages, () => 1_200_000)
  return formatProgress(fields, {totals: Object.fromEntries(Object.keys(fields.totals).map((name) => [name, 1_190_000]))}, 1)
}

describe('the progress of a run', () => {
  it.each<[LagReading | null, string]>([
    [null, ''],
    [{records: 0, seconds: 0}, ' · lag 0'],
    [{records: 500, seconds: 0.4}, ' · lag 500'],
    [{records: 340_000, seconds: null}, ' · lag 340,000'],
    [{records: 340_000, seconds: 11.2}, ' · lag 340,000 · caught up in 12 s'],
    [{records: 340_000, seconds: 600}, ' · lag 340,000 · caught up in 10 min'],
    [{records: 340_000, seconds: 20_000}, ' · lag 340,000 · caught up in 6 h'],
    [{records: 340_000, seconds: Number.POSITIVE_INFINITY}, ' · lag 340,000 · caught up never at this rate'],
  ])('says of a lag of %j', (reading, expected) => {
    expect(line(stage('cassandra', reading))).toBe(`cassandra 1,200,000 (10,000/s)${expected}`)
  })

  it('says whose lag it is where there are several', () => {
    const reading = {records: 7, seconds: 0}
    expect(line(stage('store', reading), stage('cassandra', reading))).toMatch(/ · store lag 7 · cassandra lag 7$/)
  })
})
