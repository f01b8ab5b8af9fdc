import {InvalidInputError} from './errors.ts'

const UNIT_MS: Readonly<Record<string, number>> = {ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000}
const UNIT_BYTES: Readonly<Record<string, number>> = {B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4}

/**
 * Milliseconds of a duration as flags and config write it: a number and one unit, for example `250ms`, `5s`, `1.5m`, `24h`, `7d`.
 * Rejects anything else, negative numbers and bare numbers too, with InvalidInputError.
 */
export function parseDuration(text: string): number {
  return scale(
    text,
    UNIT_MS,
    `'${text}' is not a duration`,
    'write a number and one of the units ms, s, m, h, d: for example 250ms, 5s, 24h',
  )
}

/** Bytes of a size: a number and one of B, KiB, MiB, GiB, TiB, for example `512MiB`. Rejects anything else with InvalidInputError. */
export function parseBytes(text: string): number {
  return scale(text, UNIT_BYTES, `'${text}' is not a size`, 'write a number and one of the units B, KiB, MiB, GiB, TiB: for example 512MiB')
}

/** The shortest text that `parseDuration` reads back as `ms` (a whole number of milliseconds), for example `90m` or `1500ms`. */
export function formatDuration(ms: number): string {
  return inLargestUnit(ms, UNIT_MS, 'ms')
}

/** The shortest text that `parseBytes` reads back as `bytes`, for example `1536MiB`. */
export function formatBytes(bytes: number): string {
  return inLargestUnit(bytes, UNIT_BYTES, 'B')
}

/** In the largest unit that divides it. */
function inLargestUnit(value: number, units: Readonly<Record<string, number>>, smallest: string): string {
  const largestFirst = Object.entries(units).sort(([, a], [, b]) => b - a)
  const [unit, size] = largestFirst.find(([, size]) => value >= size && value % size === 0) ?? [smallest, 1]
  return `${value / size}${unit}`
}

function scale(text: string, units: Readonly<Record<string, number>>, problem: string, remedy: string): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]+)$/.exec(text) ?? []
  const size = Object.hasOwn(units, unit) ? units[unit] : undefined
  const value = size === undefined ? Number.NaN : Math.round(Number(amount) * size)
  if (Number.isSafeInteger(value)) return value
  throw new InvalidInputError(problem, {remedy: [remedy]})
}
