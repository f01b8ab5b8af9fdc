import {describe, expect, it} from 'vitest'
import {NotConnectedError} from '../../../src/lib/core/errors.ts'
import type {GroupLag} from '../../../src/lib/core/ports/bus.ts'
import {LagEstimate} from '../../../src/lib/pipeline/lag-estimate.ts'
import {type CaughtUp, LagMonitor} from '../../../src/lib/pipeline/lag-monitor.ts'
import {testContext} from '../../helpers/context.ts'
import {FakeClock} from '../../helpers/fake-clock.ts'

const at = (latest: number, done: number, partition = 0): GroupLag => ({topic: 't', partition, committed: done, latest, lag: latest - done})

/** Looks once a second at a log that begins with `backlog` records, grows by `inflow` and is worked off by `rate` a second. */
function watch({backlog, inflow, rate, seconds}: {backlog: number; inflow: number; rate: number; seconds: number}) {
  const estimate = new LagEstimate()
  const readings = []
  for (let second = 0; second <= seconds; second++) {
    const latest = backlog + inflow * second
    estimate.add([at(latest, Math.min(latest, rate * second))], second * 1000)
    readings.push({...estimate.reading, caughtUp: estimate.caughtUp})
  }
  return {estimate, readings, last: readings.at(-1)}
}

describe('an estimate of the lag', () => {
  it('knows nothing before somebody has joined, and no time before the second look', () => {
    const estimate = new LagEstimate()
    estimate.add([], 0)
    expect([estimate.reading, estimate.caughtUp]).toEqual([null, false])
    estimate.add([at(100, 0), at(50, 10, 1)], 1000)
    expect([estimate.reading, estimate.caughtUp]).toEqual([{records: 140, seconds: null}, false])
  })

  it('tells when a backlog will be worked off', () => {
    const {last} = watch({backlog: 1_000_000, inflow: 0, rate: 10_000, seconds: 20})
    expect(last).toEqual({records: 800_000, seconds: 80, caughtUp: false})
  })

  it('takes into account what comes in meanwhile', () => {
    const {last} = watch({backlog: 1_000_000, inflow: 5000, rate: 10_000, seconds: 20})
    expect(last).toEqual({records: 900_000, seconds: 180, caughtUp: false})
  })

  it('says that it takes for ever while more comes in than is worked off', () => {
    expect(watch({backlog: 1000, inflow: 500, rate: 100, seconds: 5}).last).toMatchObject({
      seconds: Number.POSITIVE_INFINITY,
      caughtUp: false,
    })
    expect(watch({backlog: 1000, inflow: 0, rate: 0, seconds: 5}).last).toMatchObject({seconds: Number.POSITIVE_INFINITY, caughtUp: false})
  })

  it('takes the records on their way in a live stream for no lag', () => {
    const {last} = watch({backlog: 500, inflow: 10_000, rate: 10_000, seconds: 5})
    expect(last).toEqual({records: 500, seconds: 0.05, caughtUp: true})
  })

  it('waits for the last of a backlog that is about to end', () => {
    const {readings} = watch({backlog: 100_000, inflow: 0, rate: 40_000, seconds: 3})
    expect(readings.map(({records, caughtUp}) => [records, caughtUp])).toEqual([
      [100_000, false],
      [60_000, false],
      [20_000, false],
      [0, true],
    ])
  })

  it('follows a rate that changes, without jumping', () => {
    const estimate = new LagEstimate()
    let done = 0
    const seconds: number[] = []
    for (let second = 0; second <= 60; second++) {
      estimate.add([at(10_000_000, done)], second * 1000)
      seconds.push(estimate.reading?.seconds ?? 0)
      done += second < 30 ? 1000 : 10_000
    }
    expect(seconds[31]).toBeGreaterThan(5000)
    expect(seconds[60]).toBeLessThan(1100)
  })

  it('does not take a partition that comes into view for records that were worked off', () => {
    const estimate = new LagEstimate()
    estimate.add([at(1000, 100)], 0)
    estimate.add([at(1000, 200)], 1000)
    estimate.add([at(1000, 300), at(1_000_000, 900_000, 1)], 2000)
    expect(estimate.reading).toEqual({records: 100_700, seconds: 1007})
  })
})

describe('a watch of the lag', () => {
  function scene(looks: readonly (readonly GroupLag[] | Error)[]) {
    const clock = new FakeClock()
    const context = {...testContext(), clock}
    const ended = new AbortController()
    const caughtUp: CaughtUp[] = []
    const left = [...looks]
    const lag = async () => {
      const look = left.shift()
      if (left.length === 0) ended.abort()
      if (look === undefined || look instanceof Error) throw look ?? new NotConnectedError('over')
      return look
    }
    const onCaughtUp = (after: CaughtUp) => caughtUp.push(after)
    const monitor = new LagMonitor({admin: {lag}, group: 'g', component: 'cassandra', onCaughtUp}, context)
    const labels = {component: 'cassandra'}
    const gauges = () => ({
      lag: context.metrics.total('coinpipe_component_lag_records', labels),
      seconds: context.metrics.total('coinpipe_component_catch_up_seconds', labels),
    })
    return {clock, monitor, caughtUp, gauges, run: () => monitor.run(ended.signal)}
  }

  it('sets the gauges, leaves out a look that fails, and says once that the group has caught up', async () => {
    const {monitor, caughtUp, gauges, run, clock} = scene([
      new NotConnectedError('away'),
      [],
      [at(1000, 0)],
      [at(1000, 400)],
      new NotConnectedError('away'),
      [at(1000, 1000)],
      [at(1200, 1100)],
      [at(1200, 1200)],
      [],
    ])
    const startMs = clock.monotonicMs()
    await run()
    expect(monitor.reading).toEqual({records: 0, seconds: 0})
    expect(gauges()).toEqual({lag: 0, seconds: 0})
    expect(caughtUp).toEqual([{records: 1000, seconds: expect.any(Number)}])
    expect(monitor.caughtUp).toEqual(caughtUp[0])
    expect(clock.monotonicMs() - startMs).toBeGreaterThan(caughtUp[0]?.seconds ?? 0)
  })
})
