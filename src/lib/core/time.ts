import {parseDuration} from './duration.ts'
import {InvalidInputError} from './errors.ts'
import type {Micros} from './records.ts'

const UTC_TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/

/**
 * The time that people mean by `2026-01-31`, `2026-01-31T09:00:00Z`, or how long ago it is, for example `24h`.
 * Throws InvalidInputError for anything else.
 */
export function parseTime(text: string, nowMs: number): Micros {
  if (!UTC_TIME.test(text)) return (nowMs - agoMs(text)) * 1000
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw badTime(text)
  return ms * 1000
}

function agoMs(text: string): number {
  try {
    return parseDuration(text)
  } catch (cause) {
    throw badTime(text, cause)
  }
}

function badTime(text: string, cause?: unknown): InvalidInputError {
  return new InvalidInputError(`'${text}' is not a time`, {
    cause,
    remedy: ['write a day (2026-01-31), a time in UTC (2026-01-31T09:00:00Z), or how long ago (15m, 24h)'],
  })
}
