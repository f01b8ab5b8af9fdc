/** Spot symbols: `BASE-QUOTE`, for example `BTC-KRW`. */

export interface SymbolParts {
  readonly base: string
  readonly quote: string
}

const SPOT = /^([A-Z0-9]{1,20})-([A-Z0-9]{1,20})$/

export function spotSymbol(base: string, quote: string): string {
  return `${base}-${quote}`
}

/** Undefined where the text is no spot symbol. */
export function splitSpotSymbol(symbol: string): SymbolParts | undefined {
  const match = SPOT.exec(symbol)
  if (!match) return undefined
  const [, base = '', quote = ''] = match
  return {base, quote}
}
