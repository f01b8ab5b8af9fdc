import {Flags} from '@oclif/core'
import type {Micros} from '../core/records.ts'
import {parseTime} from '../core/time.ts'

/** A flag whose value is a time: `2026-01-31`, `2026-01-31T09:00:00Z`, or how long ago, for example `24h`. */
export const time = Flags.custom<Micros>({helpValue: '<time>', parse: async (text) => parseTime(text, Date.now())})

/** A time as people read it: UTC, milliseconds. */
export function utc(time: Micros): string {
  return new Date(time / 1000).toISOString()
}
