import {isCanonicalDecimal} from './decimal.ts'
import {CoinpipeError, type ErrorDetails, EXIT} from './errors.ts'
import type {Decimal} from './records.ts'

/**
 * Exact sums of decimals: a value is a BigInt of 10^-18 units, so that it means the same as DECIMAL(38,18) in SQL. No value ever passes through
 * a double.
 */
export const DECIMAL_SCALE = 18
/** Scale of a product of two scaled values. */
export const PRODUCT_SCALE = 2 * DECIMAL_SCALE
const MAX_WHOLE_DIGITS = 20
const LIMIT = 10n ** 38n
const UNIT = 10n ** BigInt(DECIMAL_SCALE)
const PRODUCT_LIMIT = LIMIT * UNIT
const POWERS = Array.from({length: DECIMAL_SCALE + 1}, (_, i) => 10n ** BigInt(i))

/** A number that DECIMAL(38,18) cannot hold exactly: more than 20 digits before the point or 18 after it. */
export class DecimalRangeError extends CoinpipeError {
  readonly code = 'COINPIPE_DECIMAL_RANGE'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.wrong, remedy: ['a record that has it is kept in the dead-letter topic, with this reason'], ...details})
  }
}

/** Whether `text` is a canonical decimal that DECIMAL(38,18) holds exactly. */
export function fitsDecimal(text: string): boolean {
  if (!isCanonicalDecimal(text)) return false
  const sign = text.startsWith('-') ? 1 : 0
  const point = text.indexOf('.')
  if (point < 0) return text.length - sign <= MAX_WHOLE_DIGITS
  return point - sign <= MAX_WHOLE_DIGITS && text.length - point - 1 <= DECIMAL_SCALE
}

/** The value in units of 10^-18. Throws DecimalRangeError. */
export function toScaled(decimal: Decimal): bigint {
  if (!fitsDecimal(decimal)) throw new DecimalRangeError(`'${decimal.slice(0, 80)}' is not a number that fits DECIMAL(38,18)`)
  const point = decimal.indexOf('.')
  if (point < 0) return BigInt(decimal) * UNIT
  const missing = DECIMAL_SCALE - (decimal.length - point - 1)
  return BigInt(decimal.slice(0, point) + decimal.slice(point + 1)) * (POWERS[missing] ?? 1n)
}

/** Canonical text of a value in units of 10^-`scale`. Throws DecimalRangeError where the exact value does not fit DECIMAL(38,18). */
export function fromScaled(value: bigint, scale = DECIMAL_SCALE): Decimal {
  const negative = value < 0n
  const digits = (negative ? -value : value).toString().padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  const fraction = trimZeros(digits.slice(digits.length - scale))
  if (whole.length > MAX_WHOLE_DIGITS || fraction.length > DECIMAL_SCALE) {
    throw new DecimalRangeError(`a sum of ${whole.length} digits before and ${fraction.length} after the point does not fit DECIMAL(38,18)`)
  }
  const text = fraction === '' ? whole : `${whole}.${fraction}`
  return negative ? `-${text}` : text
}

/** Whether the exact value, in units of 10^-36, fits DECIMAL(38,18). */
export function productFits(value: bigint): boolean {
  return value < PRODUCT_LIMIT && value > -PRODUCT_LIMIT && value % UNIT === 0n
}

/** Whether sums in units of 10^-18 (`base`) and 10^-36 (`quote`) are below what DECIMAL(38,18) holds. */
export function fitsSum(base: bigint, quote: bigint): boolean {
  return base < LIMIT && quote < PRODUCT_LIMIT
}

function trimZeros(fraction: string): string {
  let end = fraction.length
  while (end > 0 && fraction.charCodeAt(end - 1) === 0x30) end--
  return fraction.slice(0, end)
}
