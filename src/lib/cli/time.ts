import {Flags} from '@oclif/core'
import {parseDuration} from '../core/duration.ts'
import {InvalidInputError} from '../core/errors.ts'
import type {Micros} from '../core/records.ts'

const UTC_TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/

/** A flag whose value is a time: `2026-01-31`, `2026-01-31T09:00:00Z`, or how long ago, for example `24h`. */
export const time = Flags.custom<Micros>({helpValue: '<time>', parse: async (text) => parseTime(text)})

/** The time that a text stands for, as {@link time} takes it. Throws InvalidInputError for anything else. */
export function parseTime(text: string): Micros {
  if (!UTC_TIME.test(text)) return (Date.now() - agoMs(text)) * 1000
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

/** A time as people read it: UTC, milliseconds. */
export function utc(time: Micros): string {
  return new Date(time / 1000).toISOString()
}
