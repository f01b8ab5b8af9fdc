import {describe, expect, it} from 'vitest'
import {AdaptiveLimit, type LimitOptions} from '../../../../src/lib/store/cassandra/concurrency.ts'

const OPTIONS = {min: 2, max: 40, start: 8, targetMs: 50}

/** Keeps as many requests under way as are allowed. */
class Load {
  readonly limit: AdaptiveLimit
  #nowMs = 0
  #sentAtMs: number[] = []

  constructor(limit: AdaptiveLimit) {
    this.limit = limit
    this.#fill()
  }

  /** Rounds of answers that take so long. */
  run(rounds: number, tookMs: number, how: 'succeeded' | 'failed' = 'succeeded'): number {
    for (let round = 0; round < rounds; round++) {
      this.#nowMs += tookMs
      for (const sentAtMs of this.#sentAtMs.splice(0)) {
        this.limit[how](sentAtMs, this.#nowMs)
        this.#fill()
      }
    }
    return this.limit.limit
  }

  #fill(): void {
    while (this.limit.free) {
      this.limit.enter()
      this.#sentAtMs.push(this.#nowMs)
    }
  }
}

const load = (options: Partial<LimitOptions> = {}) => new Load(new AdaptiveLimit({...OPTIONS, ...options}))

describe('the limit of requests at once', () => {
  it('doubles with each round of quick answers until the first trouble, and then rises by one', () => {
    const requests = load()
    expect(requests.run(1, 10)).toBe(16)
    expect(requests.run(1, 10, 'failed')).toBe(8)
    // Those that were sent before the trouble end first.
    requests.run(1, 10)
    const before = requests.limit.limit
    expect(requests.run(3, 10)).toBe(before + 3)
  })

  it('never rises above its bound', () => {
    expect(load().run(10, 1)).toBe(40)
  })

  it('falls once a round trip, however many requests fail of it', () => {
    expect(load({start: 32}).run(1, 100, 'failed')).toBe(16)
  })

  it('falls to its least and no further while everything fails, and comes back', () => {
    const requests = load()
    expect(requests.run(10, 100, 'failed')).toBe(2)
    expect(requests.run(60, 10)).toBe(40)
  })

  it('falls gently where answers take long, and not below where it began', () => {
    const requests = load()
    expect(requests.run(2, 10)).toBe(32)
    expect(requests.run(1, 101)).toBe(25)
    expect(requests.run(20, 101)).toBe(8)
  })

  it('comes back to where it began after trouble, though all answers take long', () => {
    const requests = load()
    requests.run(10, 100, 'failed')
    expect(requests.run(100, 300)).toBe(8)
  })

  it('stays where answers take between the target and twice that', () => {
    expect(load().run(10, 80)).toBe(8)
  })

  it('does not rise while it is not used', () => {
    const limit = new AdaptiveLimit(OPTIONS)
    for (let i = 0; i < 50; i++) {
      limit.enter()
      limit.succeeded(i, i + 1)
    }
    expect(limit.limit).toBe(8)
  })

  it('keeps what is under way when its bounds change', () => {
    const limit = new AdaptiveLimit({...OPTIONS, start: 32})
    for (let i = 0; i < 20; i++) limit.enter()
    limit.change({...OPTIONS, max: 16})
    expect(limit).toMatchObject({limit: 16, inFlight: 20, free: false})
    for (let i = 0; i < 10; i++) limit.left()
    expect(limit.free).toBe(true)
  })
})
