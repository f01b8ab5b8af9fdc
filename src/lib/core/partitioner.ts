/**
 * Where a key goes. The rule is the Java client's `BuiltInPartitioner.partitionForKey`: `(murmur2(key bytes) & 0x7fffffff) % partitions`.
 * Every bus uses this one function and passes an explicit partition on, since client libraries differ in their own defaults.
 */

const SEED = 0x9747b28c
const M = 0x5bd1e995
const encoder = new TextEncoder()

/** Java's `Utils.murmur2` as a signed 32-bit integer. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length
  const tail = length & ~3
  let hash = SEED ^ length
  for (let at = 0; at < tail; at += 4) hash = Math.imul(hash, M) ^ mix(readInt32(bytes, at))
  for (let at = length - 1; at >= tail; at--) hash ^= byteAt(bytes, at) << ((at - tail) * 8)
  if (tail < length) hash = Math.imul(hash, M)
  hash ^= hash >>> 13
  hash = Math.imul(hash, M)
  return hash ^ (hash >>> 15)
}

/** The partition of a text key, hashed as UTF-8, among `partitions`. */
export function partitionForKey(key: string, partitions: number): number {
  return (murmur2(encoder.encode(key)) & 0x7fffffff) % partitions
}

function mix(word: number): number {
  const scrambled = Math.imul(word, M)
  return Math.imul(scrambled ^ (scrambled >>> 24), M)
}

function readInt32(bytes: Uint8Array, at: number): number {
  return byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24)
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number
}
