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

/** Partitions in the order of topic and number, runs of them shortened: `market.book 0-5, market.trade 0 2-3`. */
export function partitionsText(partitions: readonly {readonly topic: string; readonly partition: number}[]): string {
  const byTopic = Map.groupBy(partitions, ({topic}) => topic)
  const topics = [...byTopic].sort(([a], [b]) => (a < b ? -1 : 1))
  return topics.map(([topic, held]) => `${topic} ${runsText(held.map(({partition}) => partition))}`).join(', ')
}

function runsText(numbers: readonly number[]): string {
  const runs: {first: number; last: number}[] = []
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const run = runs.at(-1)
    if (run?.last === number - 1) run.last = number
    else runs.push({first: number, last: number})
  }
  return runs.map(({first, last}) => (first === last ? `${first}` : `${first}-${last}`)).join(' ')
}
