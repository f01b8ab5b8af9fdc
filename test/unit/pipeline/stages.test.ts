import {describe, expect, it} from 'vitest'
import {runStages, type Stage} from '../../../src/lib/pipeline/stages.ts'
import {testContext} from '../../helpers/context.ts'

/** A stage that writes down when it starts and stops. */
function stage(name: string, events: string[], rest: Partial<Stage> = {}): Stage {
  const run = async (signal: AbortSignal) => {
    events.push(`${name} runs`)
    if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), {once: true}))
    await new Promise(setImmediate)
    events.push(`${name} ended`)
  }
  return {name, run, ...rest}
}

describe('runStages', () => {
  it('stops one stage after the other, each when it has worked off what came before', async () => {
    const events: string[] = []
    const caughtUp = async () => {
      events.push('sink caught up')
      return true
    }
    const stop = new AbortController()
    const running = runStages([stage('source', events), stage('sink', events, {caughtUp})], stop.signal, testContext())
    expect(events).toEqual(['source runs', 'sink runs'])
    stop.abort()
    await running
    expect(events.slice(2)).toEqual(['source ended', 'sink caught up', 'sink ended'])
  })

  it('stops all when one fails, waits for none to catch up, and fails with the first error', async () => {
    const events: string[] = []
    const broken: Stage = {
      name: 'broken',
      run: async () => {
        throw new RangeError('first')
      },
    }
    const late = {
      name: 'late',
      run: async (signal: AbortSignal) => {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), {once: true}))
        throw new RangeError('second')
      },
    }
    const caughtUp = () => Promise.reject(new RangeError('was asked'))
    const stages = [stage('source', events), broken, late, stage('sink', events, {caughtUp})]
    await expect(runStages(stages, new AbortController().signal, testContext())).rejects.toThrow('first')
    expect(events).toEqual(['source runs', 'sink runs', 'source ended', 'sink ended'])
  })

  it('ends a stage that does not catch up', async () => {
    const events: string[] = []
    await runStages([stage('sink', events, {caughtUp: async () => false})], AbortSignal.abort(), testContext())
    expect(events).toEqual(['sink runs', 'sink ended'])
  })

  it('goes on when a stage ends by itself', async () => {
    const events: string[] = []
    const stop = new AbortController()
    const short: Stage = {name: 'short', run: async () => void events.push('short ended')}
    const running = runStages([short, stage('sink', events)], stop.signal, testContext())
    await new Promise(setImmediate)
    expect(events).toEqual(['short ended', 'sink runs'])
    stop.abort()
    await running
    expect(events.at(-1)).toBe('sink ended')
  })
})
