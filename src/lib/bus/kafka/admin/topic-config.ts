import type {TopicChanges, TopicConfig} from '../../../core/ports/bus.ts'

/** A topic's settings by Kafka's names. */
export type Settings = Readonly<Record<string, string>>

const RETENTION_MS = 'retention.ms'
const RETENTION_BYTES = 'retention.bytes'
const SEGMENT_MS = 'segment.ms'
const UNLIMITED = '-1'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/**
 * What a new topic gets. Only whole segments expire, and the one that is written to never does: on a quiet partition records would stay for the week
 * that Kafka takes to begin the next one (DESIGN: Topics).
 */
export function newTopicSettings({partitions, retentionMs, retentionBytes, settings}: TopicConfig): Settings {
  return {
    [RETENTION_MS]: limit(retentionMs),
    [RETENTION_BYTES]: perPartition(retentionBytes, partitions),
    ...(retentionMs === null ? {} : {[SEGMENT_MS]: String(segmentMs(retentionMs))}),
    'message.timestamp.type': 'LogAppendTime',
    ...settings,
  }
}

/** What to set of a topic, null for what goes back to the brokers' default. Segments become as short as a shorter retention needs, and never longer. */
export function changedSettings(changes: TopicChanges, partitions: number, now: Settings): Record<string, string | null> {
  const {retentionMs, retentionBytes, settings} = changes
  const segment = typeof retentionMs === 'number' ? segmentMs(retentionMs) : Number.POSITIVE_INFINITY
  return {
    ...(retentionMs === undefined ? {} : {[RETENTION_MS]: limit(retentionMs)}),
    ...(retentionBytes === undefined ? {} : {[RETENTION_BYTES]: perPartition(retentionBytes, partitions)}),
    ...(segment < Number(now[SEGMENT_MS]) ? {[SEGMENT_MS]: String(segment)} : {}),
    ...settings,
  }
}

/** Kafka's limit is one of each partition, ours of all of them together. */
export function retentionOf(settings: Settings, partitions: number): Pick<TopicConfig, 'retentionMs' | 'retentionBytes'> {
  const bytes = unlimited(settings[RETENTION_BYTES])
  return {retentionMs: unlimited(settings[RETENTION_MS]), retentionBytes: bytes === null ? null : bytes * partitions}
}

/** What is told as retention is not told again as a setting. */
export function withoutRetention(settings: Settings): Settings {
  const {[RETENTION_MS]: _ms, [RETENTION_BYTES]: _bytes, ...others} = settings
  return others
}

function segmentMs(retentionMs: number): number {
  return Math.min(HOUR_MS, Math.max(MINUTE_MS, retentionMs))
}

function limit(value: number | null): string {
  return value === null ? UNLIMITED : String(value)
}

function perPartition(bytes: number | null, partitions: number): string {
  return bytes === null ? UNLIMITED : String(Math.ceil(bytes / partitions))
}

function unlimited(value: string | undefined): number | null {
  return value === undefined || value === UNLIMITED ? null : Number(value)
}
