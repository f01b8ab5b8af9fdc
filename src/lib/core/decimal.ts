import type {Decimal} from './records.ts'

/** No price, size or volume of a market comes near this; it bounds what an exponent can blow up to. */
const MAX_DIGITS = 64
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/

/**
 * The canonical text of a number, numerically equal to it: no exponent, no trailing zeros, no leading zeros or `+`, no `-0`.
 * Takes what JSON takes, and leading zeros too. Undefined for anything else (`NaN`, `Infinity`, empty), and for more than 64 digits.
 */
export function canonicalDecimal(text: string): Decimal | undefined {
  const match = text.length > MAX_DIGITS + 8 ? null : NUMBER.exec(text)
  if (!match) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  return placePoint(sign === '-', whole + fraction, whole.length + Number(exponent))
}

/** `point` is where the decimal point stands in `digits`, counted from their start; it may lie outside of them. */
function placePoint(negative: boolean, digits: string, point: number): Decimal | undefined {
  let start = 0
  let end = digits.length
  while (start < end && digits[start] === '0') start++
  while (end > start && digits[end - 1] === '0') end--
  if (start === end) return '0'
  const significant = digits.slice(start, end)
  const whole = point - start
  if (Math.max(whole, significant.length, significant.length - whole) > MAX_DIGITS) return undefined
  return (negative ? '-' : '') + withPoint(significant, whole)
}

function withPoint(significant: string, whole: number): string {
  if (whole <= 0) return `0.${'0'.repeat(-whole)}${significant}`
  if (whole >= significant.length) return significant + '0'.repeat(whole - significant.length)
  return `${significant.slice(0, whole)}.${significant.slice(whole)}`
}

const CANONICAL = /^-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?$/

/** Whether a text is a canonical decimal already. */
export function isCanonicalDecimal(text: string): text is Decimal {
  return text.length <= MAX_DIGITS + 3 && CANONICAL.test(text) && text !== '-0'
}
