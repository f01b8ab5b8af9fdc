import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {Pacer, parseBurst} from '../../../src/lib/simulate/pacer.ts'

const ANY = Number.MAX_SAFE_INTEGER

describe('Pacer', () => {
  it('loses and adds nothing over uneven ticks', () => {
    fc.assert(
      fc.property(fc.array(fc.double({min: 0.1, max: 50, noNaN: true}), {minLength: 1, maxLength: 200}), (ticksMs) => {
        const pacer = new Pacer(1000)
        pacer.due(0, ANY)
        let [nowMs, made] = [0, 0]
        for (const tickMs of ticksMs) {
          nowMs += tickMs
          made += pacer.due(nowMs, ANY)
        }
        expect(Math.abs(made - nowMs)).toBeLessThan(1.001)
      }),
    )
  })

  it('hands out at most what is asked for and the rest later', () => {
    const pacer = new Pacer(1000)
    pacer.due(0, ANY)
    expect([pacer.due(100, 60), pacer.due(100, 60)]).toEqual([60, 40])
  })

  it('lets go of more than two seconds of debt', () => {
    const pacer = new Pacer(1000)
    pacer.due(0, ANY)
    expect(pacer.due(60_000, ANY)).toBe(2000)
  })

  it('does not count a pause', () => {
    const pacer = new Pacer(1000)
    pacer.due(0, ANY)
    pacer.pause()
    expect(pacer.due(1000, ANY)).toBe(0)
    expect(pacer.due(1010, ANY)).toBe(10)
  })

  it('bursts periodically, after the first period', () => {
    const pacer = new Pacer(100, parseBurst('10x@1s:100ms'))
    pacer.due(0, ANY)
    const made = Array.from({length: 20}, (_, i) => pacer.due((i + 1) * 100, ANY))
    expect(made.slice(0, 9)).toEqual(Array(9).fill(10))
    expect(made[9]).toBe(100)
    expect(made.slice(10, 19)).toEqual(Array(9).fill(10))
    expect(made[19]).toBe(100)
  })

  it.each(['10@30s:2s', '10x', '10x@30s', 'x@30s:2s', '10x@1s:2s', '10x@0s:0s', '10x@soon:2s'])('refuses burst %o', (text) => {
    expect(() => parseBurst(text)).toThrow(expect.objectContaining({code: 'COINPIPE_INVALID_INPUT'}))
  })
})
