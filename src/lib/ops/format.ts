/** Values as the tables of the ops commands show them. */

import {formatDuration} from '../core/duration.ts'

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** How long a topic keeps records. */
export function retentionText(ms: number | null): string {
  return ms === null ? 'forever' : formatDuration(ms)
}

/** How much a topic keeps, rounded: Kafka's limit is one of each partition, so that of the topic is seldom a round number. */
export function limitText(bytes: number | null): string {
  return bytes === null ? 'unlimited' : roundBytes(bytes)
}

/** A size to one digit behind the point, for example `1.2 GiB`. */
export function roundBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(bytes, 1)) / 10)))
  return power === 0 ? `${bytes} B` : `${(bytes / 1024 ** power).toFixed(1)} ${UNITS[power]}`
}

/** 0.5 → `50.0 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

/** `1 record`, `2 records`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
