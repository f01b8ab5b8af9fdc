import {EventEmitter} from 'node:events'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'
import {createStopper} from '../../../src/lib/cli/stopper.ts'
import {AbortedError} from '../../../src/lib/core/errors.ts'

function setUp() {
  const process = new EventEmitter()
  const exits: number[] = []
  const said: string[] = []
  const stopper = createStopper({drainMs: 1000, say: (line) => said.push(line), exit: (code) => exits.push(code), process})
  return {process, exits, said, stopper}
}

describe('createStopper', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each(['SIGINT', 'SIGTERM'])('aborts on the first %s and leaves on the second', (name) => {
    const {process, exits, said, stopper} = setUp()
    process.emit(name, name)
    expect(stopper.signal.reason).toBeInstanceOf(AbortedError)
    expect(said).toEqual([`${name}: finishing what has begun; once more leaves at once`])
    expect(exits).toEqual([])
    process.emit('SIGINT', 'SIGINT')
    expect(exits).toEqual([130])
  })

  it('leaves at the drain deadline', () => {
    const {process, exits, said} = setUp()
    process.emit('SIGTERM', 'SIGTERM')
    vi.advanceTimersByTime(999)
    expect(exits).toEqual([])
    vi.advanceTimersByTime(1)
    expect(exits).toEqual([130])
    expect(said.at(-1)).toBe('not finished 1s after being asked to stop: leaving at once')
  })

  it('stops by itself after a while, and the first signal after that still lets it drain', () => {
    const {process, exits, stopper} = setUp()
    stopper.stopAfter(5000)
    vi.advanceTimersByTime(4999)
    expect(stopper.signal.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(stopper.signal.aborted).toBe(true)
    process.emit('SIGINT', 'SIGINT')
    expect(exits).toEqual([])
  })

  it('keeps the first reason', () => {
    const {stopper} = setUp()
    stopper.stop('--count reached')
    stopper.stop('another')
    expect(String(stopper.signal.reason)).toContain('--count reached')
  })

  it('leaves nothing behind once closed', () => {
    const {process, exits, stopper} = setUp()
    stopper.stop('done')
    stopper.close()
    vi.advanceTimersByTime(10_000)
    expect(exits).toEqual([])
    expect(process.eventNames()).toEqual([])
  })
})
