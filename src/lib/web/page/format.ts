/** Numbers as people read them, from decimal text: every digit that was sent is shown, none is invented by rounding. */

import type {Decimal} from '../../core/records.ts'

/** Digits after the point. */
export function decimalsOf(value: Decimal): number {
  const point = value.indexOf('.')
  return point === -1 ? 0 : value.length - point - 1
}

/** `1234567.5` as `1,234,567.50` for two decimals: digits are added to line up, never taken away. */
export function formatDecimal(value: Decimal, decimals = 0): string {
  const negative = value.startsWith('-')
  const [whole = '0', fraction = ''] = (negative ? value.slice(1) : value).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  const padded = fraction.padEnd(decimals, '0')
  return `${negative ? '−' : ''}${grouped}${padded === '' ? '' : `.${padded}`}`
}

/** A large amount in a few digits, in the language's own units: `12.3B`, `123억`. */
export function formatCompact(value: Decimal, locale: string): string {
  return new Intl.NumberFormat(locale, {notation: 'compact', maximumSignificantDigits: 4}).format(Number(value))
}

export type Direction = 'up' | 'down' | 'flat'

export interface Change {
  readonly direction: Direction
  /** `▲ 1.25%`; the sign is a shape too, for those who don't see the colour. */
  readonly text: string
}

/** A signed share (`0.0125`) as a change. */
export function formatChange(rate: number): Change {
  const percent = Math.abs(rate * 100).toFixed(2)
  if (!Number.isFinite(rate) || percent === '0.00') return {direction: 'flat', text: '0.00%'}
  return rate > 0 ? {direction: 'up', text: `▲ ${percent}%`} : {direction: 'down', text: `▼ ${percent}%`}
}

/** `a - b`, exactly, for two canonical decimals. */
export function subtract(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(decimalsOf(a), decimalsOf(b))
  const difference = scaled(a, scale) - scaled(b, scale)
  const digits = String(difference < 0n ? -difference : difference).padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`.replace(/\.?0+$/, '')
  return difference < 0n ? `-${text}` : text
}

function scaled(value: Decimal, scale: number): bigint {
  const [whole = '0', fraction = ''] = value.split('.')
  return BigInt(whole + fraction.padEnd(scale, '0'))
}

/** `BTC-KRW` as `BTC/KRW`; longer names (`BTC-USD-PERP`) keep their tail. */
export function formatSymbol(symbol: string): string {
  return symbol.replace('-', '/')
}

/** What prices of the market are counted in: `KRW` of `BTC-KRW`. */
export function quoteOf(symbol: string): string {
  return symbol.split('-')[1] ?? ''
}
