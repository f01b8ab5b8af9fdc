import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {ScaleLimits} from '../../../../src/lib/pipeline/autoscale/decide.ts'
import {changes, scaledSink} from '../../../helpers/scaled-sink.ts'

const LIMITS: ScaleLimits = {min: 1, max: 6, targetLagMs: 30_000, stabilizeMs: 15_000, coolDownMs: 60_000}
const PER_WORKER = 1000
const linear = (workers: number) => workers * PER_WORKER
const steady = (perSecond: number) => () => perSecond

const limits = fc
  .record({
    min: fc.integer({min: 1, max: 4}),
    above: fc.integer({min: 0, max: 8}),
    targetLagMs: fc.integer({min: 2000, max: 60_000}),
    stabilizeMs: fc.integer({min: 2000, max: 30_000}),
    coolDownMs: fc.integer({min: 2000, max: 120_000}),
  })
  .map(({min, above, ...rest}): ScaleLimits => ({min, max: min + above, ...rest}))

/** A load that jumps now and then, a sink that is now fast and now slow, and a bus that is sometimes gone. */
const unsteady = fc
  .record({
    partitions: fc.integer({min: 1, max: 12}),
    loads: fc.array(fc.integer({min: 0, max: 10_000}), {minLength: 1, maxLength: 8}),
    speeds: fc.array(fc.integer({min: 0, max: 3000}), {minLength: 1, maxLength: 8}),
    joinLooks: fc.integer({min: 1, max: 10}),
    startLag: fc.integer({min: 0, max: 1_000_000}),
    blindEvery: fc.integer({min: 2, max: 200}),
  })
  .map(({partitions, loads, speeds, joinLooks, startLag, blindEvery}) => {
    const at = (values: readonly number[], second: number) => values[Math.floor(second / 97) % values.length] ?? 0
    return {
      partitions,
      joinLooks,
      startLag,
      arriving: (second: number) => at(loads, second),
      capacity: (workers: number, second: number) => workers * at(speeds, second),
      blind: (second: number) => second % blindEvery === 0,
    }
  })

describe('the number of workers', () => {
  it('stays between its limits, and below the number of partitions, whatever happens', () => {
    fc.assert(
      fc.property(unsteady, limits, (model, limits) => {
        const most = Math.max(1, Math.min(limits.max, model.partitions))
        const least = Math.min(limits.min, most)
        const counts = scaledSink(model, limits, 1000).map(({workers}) => workers)
        expect(Math.min(...counts)).toBeGreaterThanOrEqual(least)
        expect(Math.max(...counts)).toBeLessThanOrEqual(most)
      }),
      {numRuns: 50},
    )
  })

  it('changes at most once in a stabilisation window, up to twice as many and down by one', () => {
    fc.assert(
      fc.property(unsteady, limits, (model, limits) => {
        const steps = scaledSink(model, limits, 1000)
        let [atSecond, workers] = [Number.NEGATIVE_INFINITY, steps[0]?.workers ?? 0]
        for (const change of changes(steps)) {
          expect((change.second - atSecond) * 1000).toBeGreaterThanOrEqual(limits.stabilizeMs)
          expect(change.workers).toBeGreaterThanOrEqual(workers - 1)
          expect(change.workers).toBeLessThanOrEqual(2 * workers)
          atSecond = change.second
          workers = change.workers
        }
      }),
      {numRuns: 50},
    )
  })

  it('settles under a steady load, is enough for it, and stays', () => {
    const shapes = fc.record({
      partitions: fc.integer({min: 1, max: 12}),
      arriving: fc.integer({min: 0, max: 12_000}),
      startLag: fc.integer({min: 0, max: 500_000}),
      joinLooks: fc.integer({min: 1, max: 8}),
      // Each further worker brings as much as the first, or less and less.
      exponent: fc.double({min: 0.6, max: 1, noNaN: true}),
    })
    fc.assert(
      fc.property(shapes, limits, ({arriving, exponent, ...shape}, limits) => {
        const capacity = (workers: number) => Math.round(PER_WORKER * workers ** exponent)
        const steps = scaledSink({...shape, arriving: steady(arriving), capacity}, limits, 4000)
        const late = steps.slice(2500)
        const last = late.at(-1)
        expect(changes(late)).toEqual([])
        const most = Math.min(limits.max, shape.partitions)
        if (last && last.workers < most && last.decision.reason !== 'more workers did not help') {
          expect(last.lag).toBeLessThanOrEqual(Math.max(100, (arriving * limits.targetLagMs) / 1000))
        }
      }),
      {numRuns: 40},
    )
  })

  it('settles with a load that trembles and a sink that trembles', () => {
    const trembling = (mean: number, second: number) =>
      Math.round(mean * (1 + 0.1 * Math.sin(second * 1.7) + 0.1 * Math.cos(second * 0.31)))
    for (const arriving of [300, 900, 1500, 2500, 4100]) {
      const steps = scaledSink(
        {
          partitions: 6,
          startLag: 100_000,
          arriving: (second) => trembling(arriving, second),
          capacity: (workers, second) => trembling(linear(workers), second + 7),
        },
        LIMITS,
        6000,
      )
      expect(changes(steps.slice(2000)), String(arriving)).toEqual([])
    }
  })
})

describe('scaling up', () => {
  it('takes as many workers as the lag and the arrivals need, and no more', () => {
    const steps = scaledSink({partitions: 12, arriving: steady(500), capacity: linear, startLag: 150_000}, {...LIMITS, max: 12}, 120)
    expect(changes(steps).map(({workers}) => workers)).toEqual([2, 4])
    expect(steps.at(-1)?.lag).toBeLessThan(1000)
  })

  it('waits until lag was too high for a whole window', () => {
    const steps = scaledSink({partitions: 6, arriving: steady(3000), capacity: linear}, LIMITS, 60)
    const [first] = changes(steps)
    expect(first?.second).toBeGreaterThanOrEqual(LIMITS.stabilizeMs / 1000)
    expect(first?.second).toBeLessThanOrEqual(2 * (LIMITS.stabilizeMs / 1000) + 2)
  })

  it('lets a burst pass that one worker works off within the target', () => {
    const arriving = (second: number) => (second % 100 === 50 ? 10_000 : 300)
    expect(changes(scaledSink({partitions: 6, arriving, capacity: linear}, LIMITS, 1000))).toEqual([])
  })

  it('stops at the number of partitions, and says so', () => {
    const steps = scaledSink({partitions: 2, arriving: steady(5000), capacity: linear}, LIMITS, 200)
    expect(steps.at(-1)).toMatchObject({workers: 2, decision: {reason: 'as many workers as allowed'}})
  })

  it('does not start workers while nothing at all is written', () => {
    const capacity = (workers: number, second: number) => (second < 20 ? linear(workers) : 0)
    const steps = scaledSink({partitions: 6, arriving: steady(500), capacity}, LIMITS, 200)
    expect(changes(steps)).toEqual([])
    expect(steps.at(-1)?.decision.reason).toBe('nothing is written')
  })

  it('does not go on where the last step brought nothing, and tries again much later', () => {
    const steps = scaledSink({partitions: 6, arriving: steady(3000), capacity: () => PER_WORKER}, LIMITS, 400)
    const [first, second] = changes(steps)
    expect(first?.workers).toBe(2)
    expect(steps.some(({decision}) => decision.reason === 'more workers did not help')).toBe(true)
    expect((second?.second ?? Number.POSITIVE_INFINITY) - (first?.second ?? 0)).toBeGreaterThanOrEqual(150)
  })
})

describe('scaling down', () => {
  it('takes one worker after the other away once the backlog is gone', () => {
    const steps = scaledSink({partitions: 6, arriving: steady(300), capacity: linear, startLag: 300_000}, LIMITS, 1500)
    const counts = changes(steps).map(({workers}) => workers)
    expect(Math.max(...counts)).toBeGreaterThan(3)
    expect(counts.slice(counts.indexOf(Math.max(...counts)))).toEqual(
      Array.from({length: Math.max(...counts)}, (_, at) => Math.max(...counts) - at),
    )
    expect(steps.at(-1)?.workers).toBe(1)
  })

  it('keeps workers that the arrivals need', () => {
    const steps = scaledSink({partitions: 6, arriving: steady(1700), capacity: linear, startLag: 100_000}, LIMITS, 1500)
    expect(steps.at(-1)).toMatchObject({workers: 3, decision: {reason: 'caught up, and all workers are needed'}})
  })

  it('forgets, some hours later, what it measured while the sink was slow', () => {
    const capacity = (workers: number, second: number) => (second < 300 ? 100 * workers : linear(workers))
    const steps = scaledSink({partitions: 6, arriving: steady(300), capacity}, LIMITS, 8 * 3600)
    expect(Math.max(...steps.map(({workers}) => workers))).toBeGreaterThan(2)
    expect(steps.at(-1)?.workers).toBe(1)
  })
})

describe('a lag that is not known', () => {
  it('changes nothing, however long it lasts', () => {
    const blind = (second: number) => second >= 30
    const steps = scaledSink({partitions: 6, arriving: steady(3000), capacity: linear, blind}, LIMITS, 2000)
    expect(changes(steps.slice(30))).toEqual([])
    expect(steps.at(-1)?.decision).toEqual({workers: steps[30]?.workers, reason: 'lag unknown', figures: null})
  })
})
