import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {formatDuration, parseBytes, parseDuration} from '../../../src/lib/core/duration.ts'
import {InvalidInputError} from '../../../src/lib/core/errors.ts'

describe('parseDuration', () => {
  it.each([
    ['250ms', 250],
    ['5s', 5000],
    ['1.5m', 90_000],
    ['24h', 86_400_000],
    ['1d', 86_400_000],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', '5', 's', '-5s', '5 s', '5S', '1e3s', '5sec', '1h30m', '99999999999999d', '5constructor'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(InvalidInputError)
  })

  it('reads back what formatDuration writes', () => {
    fc.assert(fc.property(fc.nat({max: Number.MAX_SAFE_INTEGER}), (ms) => parseDuration(formatDuration(ms)) === ms))
  })

  it('formats with the largest whole unit', () => {
    expect([0, 1500, 60_000, 5_400_000, 172_800_000].map(formatDuration)).toEqual(['0ms', '1500ms', '1m', '90m', '2d'])
  })
})

describe('parseBytes', () => {
  it('reads binary units', () => {
    expect(['10B', '64KiB', '1.5MiB', '8GiB', '1TiB'].map(parseBytes)).toEqual([10, 65_536, 1_572_864, 8_589_934_592, 1_099_511_627_776])
  })

  it.each(['5', '5KB', '5kib', '-1B'])('refuses %j', (text) => {
    expect(() => parseBytes(text)).toThrow(InvalidInputError)
  })
})
