import type {RecordType} from './records.ts'

/** `type:exchange:symbol:key`: the same event has the same id, from wherever it came. */
export function recordId(type: RecordType, exchange: string, symbol: string, key: string): string {
  return `${type}:${exchange}:${symbol}:${key}`
}

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
const SECOND_OFFSET = 0x9747b28c
const SECOND_PRIME = 0x5bd1e995
/** Closes each text, so that `1`, `23` and `12`, `3` differ. */
const SEPARATOR = 0x1f

/**
 * A 64-bit hash of a row of texts for ids: the same on every machine and in every version, because ids are stored. Not for secrets.
 *
 * Two 32-bit lanes over the UTF-16 code units (`h = (h ^ unit) * prime mod 2^32`): FNV-1a's offset and prime, and 0x9747b28c with
 * 0x5bd1e995. A unit of 0x1f closes each text. The lanes are mixed into each other and through murmur3's 32-bit finalizer; the digest is the
 * first lane, then the second, as 16 lower-case hex digits.
 */
export class TextHash {
  private first = FNV_OFFSET | 0
  private second = SECOND_OFFSET | 0

  add(text: string): this {
    let first = this.first
    let second = this.second
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      first = Math.imul(first ^ unit, FNV_PRIME)
      second = Math.imul(second ^ unit, SECOND_PRIME)
    }
    this.first = Math.imul(first ^ SEPARATOR, FNV_PRIME)
    this.second = Math.imul(second ^ SEPARATOR, SECOND_PRIME)
    return this
  }

  /** 16 hex digits. The hash itself stays as it is. */
  digest(): string {
    const first = finish(this.first ^ (this.second >>> 15))
    const second = finish(this.second ^ first)
    return hex(first) + hex(second)
  }
}

function finish(lane: number): number {
  let h = lane
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0')
}

/** The hash of a row of texts in one go; see {@link TextHash}. */
export function hashTexts(texts: Iterable<string>): string {
  const hash = new TextHash()
  for (const text of texts) hash.add(text)
  return hash.digest()
}
