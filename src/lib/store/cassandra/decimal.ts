/**
 * CQL `decimal`: a scale as 32-bit integer, then the unscaled value as a signed big-endian integer of as few bytes as hold it (CQL native protocol,
 * section 6.8). Nearly all prices and sizes have at most 15 digits and never become a BigInt.
 */

import {canonicalDecimal} from '../../core/decimal.ts'
import {DecimalRangeError} from '../../core/decimal-math.ts'
import type {Decimal} from '../../core/records.ts'

/** As DECIMAL(38,18): what the other stores take too. */
const MAX_WHOLE_DIGITS = 20
const MAX_FRACTION_DIGITS = 18
/** 10^15 - 1 is a safe integer, and its bytes can be had by arithmetic of doubles. */
const FAST_DIGITS = 15
const SCALE_BYTES = 4
/** 38 digits take 127 bits. */
export const MAX_DECIMAL_BYTES = SCALE_BYTES + 16
/** No value of ours has more; one from elsewhere could name zeros without end. */
const MAX_SHOWN_SCALE = 64

const ZERO = 0x30
const NINE = 0x39
const MINUS = 0x2d
const POINT = 0x2e
const TWO_32 = 2 ** 32

/**
 * Writes a canonical decimal at `at` and returns where it ends; -1 where the text is not one, or has more than 20 digits before or 18 after the
 * point. `bytes` has room for {@link MAX_DECIMAL_BYTES} there.
 */
export function writeDecimal(text: string, bytes: Uint8Array, at: number): number {
  const {length} = text
  const negative = length > 0 && text.charCodeAt(0) === MINUS
  const first = negative ? 1 : 0
  let value = 0
  let point = -1
  for (let i = first; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code >= ZERO && code <= NINE) value = value * 10 + (code - ZERO)
    else if (code === POINT && point < 0) point = i
    else return -1
  }
  if (!isCanonical(text, first, point, value)) return -1
  const scale = point < 0 ? 0 : length - point - 1
  const digits = length - first - (point < 0 ? 0 : 1)
  bytes[at] = 0
  bytes[at + 1] = 0
  bytes[at + 2] = 0
  bytes[at + 3] = scale
  if (digits <= FAST_DIGITS) return writeSmall(negative ? -value : value, bytes, at + SCALE_BYTES)
  return writeLarge(BigInt(text.replace('.', '')), bytes, at + SCALE_BYTES)
}

/** No leading or trailing zeros, no `-0`, digits on both sides of the point, and no more of them than fit. */
function isCanonical(text: string, first: number, point: number, value: number): boolean {
  const {length} = text
  const wholeEnd = point < 0 ? length : point
  const whole = wholeEnd - first
  if (whole < 1 || whole > MAX_WHOLE_DIGITS || (whole > 1 && text.charCodeAt(first) === ZERO)) return false
  if (first === 1 && value === 0) return false
  if (point < 0) return true
  const fraction = length - point - 1
  return fraction >= 1 && fraction <= MAX_FRACTION_DIGITS && text.charCodeAt(length - 1) !== ZERO
}

function writeSmall(value: number, bytes: Uint8Array, at: number): number {
  const size = bytesOf(value < 0 ? -value - 1 : value)
  const low = value | 0
  if (size > 4) {
    const high = Math.floor(value / TWO_32)
    for (let i = size - 5; i >= 0; i--) bytes[at++] = high >>> (8 * i)
    bytes[at++] = low >>> 24
    bytes[at++] = low >>> 16
    bytes[at++] = low >>> 8
    bytes[at++] = low
    return at
  }
  for (let i = size - 1; i >= 0; i--) bytes[at++] = low >>> (8 * i)
  return at
}

/** Bytes that hold the value and a sign. */
function bytesOf(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x8000) return 2
  if (value < 0x800000) return 3
  if (value < 0x80000000) return 4
  if (value < 0x80_0000_0000) return 5
  return value < 0x8000_0000_0000 ? 6 : 7
}

function writeLarge(value: bigint, bytes: Uint8Array, at: number): number {
  let size = 1
  while (BigInt.asIntN(8 * size, value) !== value) size++
  let rest = value
  for (let i = size - 1; i >= 0; i--) {
    bytes[at + i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return at + size
}

/** A canonical decimal of at most 20 digits before and 18 after the point, as CQL has it. Throws DecimalRangeError for any other text. */
export function encodeDecimal(text: Decimal): Buffer {
  const bytes = Buffer.alloc(MAX_DECIMAL_BYTES)
  const end = writeDecimal(text, bytes, 0)
  if (end < 0) throw new DecimalRangeError(`'${text.slice(0, 80)}' is not a number that fits DECIMAL(38,18)`)
  return bytes.subarray(0, end)
}

/** The canonical text of a CQL decimal, whoever wrote it. Throws DecimalRangeError where it has more than 64 digits. */
export function decodeDecimal(buffer: Buffer): Decimal {
  const scale = buffer.readInt32BE(0)
  const size = buffer.length - SCALE_BYTES
  if (size <= 6) return placePoint(buffer.readIntBE(SCALE_BYTES, size).toString(), scale)
  return placePoint(BigInt.asIntN(8 * size, BigInt(`0x${buffer.toString('hex', SCALE_BYTES)}`)).toString(), scale)
}

function placePoint(unscaled: string, scale: number): Decimal {
  if (scale === 0) return unscaled
  const decimal = Math.abs(scale) > MAX_SHOWN_SCALE ? undefined : canonicalDecimal(`${unscaled}e${-scale}`)
  if (decimal === undefined) throw new DecimalRangeError(`${unscaled.slice(0, 80)} times ten to the ${-scale} has too many digits`)
  return decimal
}
