import type {RecordType} from './records.ts'

/** `type:exchange:symbol:key`: the same event has the same id, from wherever it came. */
export function recordId(type: RecordType, exchange: string, symbol: string, key: string): string {
  return `${type}:${exchange}:${symbol}:${key}`
}

/**
 * A 64-bit hash of a row of texts for ids: the same on every machine and in every version, because ids are stored. Not for secrets.
 *
 * Two 32-bit lanes, all arithmetic mod 2^32. Taking a word in: `x = (lane ^ word) * prime; lane = x ^ (x >>> shift)`, with prime 0x85ebca6b and
 * shift 15 in the first lane, 0xc2b2ae35 and 13 in the second. A text's lanes start from its length in bytes and take in its UTF-8 bytes, four
 * at a time as little-endian words, the last one filled up with zeros. The row's lanes start from 0x9747b28c and 0x5bd1e995 and take in the
 * lanes of each text. The digest takes the second lane into the first, then that into the second, each lane twice over, and writes both as
 * lower-case hex, first lane first. Each step can be undone, so that two rows that differ in one text of one word never share a hash.
 */
export class TextHash {
  private first = 0x9747b28c
  private second = 0x5bd1e995
  private readonly lanes = new Int32Array(2)

  add(text: string): this {
    hashText(text, this.lanes, 0)
    return this.addLanes(this.lanes, 0)
  }

  /** Adds a text whose lanes {@link hashText} or {@link hashBytes} left at `place`. */
  addLanes(lanes: Int32Array, place: number): this {
    this.first = mixFirst(this.first, lanes[2 * place] as number)
    this.second = mixSecond(this.second, lanes[2 * place + 1] as number)
    return this
  }

  /** 16 hex digits. The hash itself stays as it is. */
  digest(): string {
    const first = mixFirst(mixFirst(this.first, this.second), 0)
    const second = mixSecond(mixSecond(this.second, first), 0)
    return hex(first) + hex(second)
  }
}

function mixFirst(lane: number, word: number): number {
  const x = Math.imul(lane ^ word, 0x85ebca6b)
  return x ^ (x >>> 15)
}

function mixSecond(lane: number, word: number): number {
  const x = Math.imul(lane ^ word, 0xc2b2ae35)
  return x ^ (x >>> 13)
}

/** Leaves the lanes of a text at `2 * place` and the next place of `lanes`. */
export function hashText(text: string, lanes: Int32Array, place: number): void {
  let first = text.length
  let second = text.length
  for (let at = 0; at < text.length; at += 4) {
    let word = 0
    for (let i = Math.min(at + 3, text.length - 1); i >= at; i--) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) {
        hashEncoded(text, lanes, place)
        return
      }
      word = (word << 8) | unit
    }
    first = mixFirst(first, word)
    second = mixSecond(second, word)
  }
  lanes[2 * place] = first
  lanes[2 * place + 1] = second
}

function hashEncoded(text: string, lanes: Int32Array, place: number): void {
  const bytes = Buffer.alloc(text.length * 3 + 3)
  hashBytes(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.write(text), lanes, place)
}

/** The same for a text that stands in a buffer, where at least three bytes of any value follow it. */
export function hashBytes(view: DataView, from: number, to: number, lanes: Int32Array, place: number): void {
  let first = to - from
  let second = to - from
  let at = from
  for (; at + 4 <= to; at += 4) {
    const word = view.getInt32(at, true)
    first = mixFirst(first, word)
    second = mixSecond(second, word)
  }
  if (at < to) {
    const word = view.getInt32(at, true) & (0xffffff >>> (8 * (3 - (to - at))))
    first = mixFirst(first, word)
    second = mixSecond(second, word)
  }
  lanes[2 * place] = first
  lanes[2 * place + 1] = second
}

const HEX: readonly string[] = Array.from({length: 256}, (_, byte) => byte.toString(16).padStart(2, '0'))

function hex(lane: number): string {
  return `${HEX[lane >>> 24]}${HEX[(lane >>> 16) & 0xff]}${HEX[(lane >>> 8) & 0xff]}${HEX[lane & 0xff]}`
}
