/**
 * Brokers do not tell their version. Those of a KRaft cluster tell the newest metadata.version that they can do, of which each release has its own: the
 * last one of each, from the list in Kafka's MetadataVersion.
 */
const LAST_LEVEL_OF_RELEASE: readonly (readonly [number, string])[] = [
  [7, '3.3'],
  [8, '3.4'],
  [11, '3.5'],
  [14, '3.6'],
  [19, '3.7'],
  [20, '3.8'],
  [21, '3.9'],
  [25, '4.0'],
  [27, '4.1'],
  [29, '4.2'],
  [30, '4.3'],
]

/** For example `4.3`. */
export function releaseOfMetadataVersion(level: number): string {
  const newest = LAST_LEVEL_OF_RELEASE.at(-1)?.[1]
  return LAST_LEVEL_OF_RELEASE.find(([last]) => level <= last)?.[1] ?? `newer than ${newest}`
}

/** From inter.broker.protocol.version, for example `3.9-IV0`: it is that of the broker itself unless it was held back. */
export function releaseOfProtocolVersion(version: string): string | null {
  return /^\d+\.\d+/.exec(version)?.[0] ?? null
}
