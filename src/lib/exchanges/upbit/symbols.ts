import {splitSpotSymbol, spotSymbol} from '../../core/symbol.ts'

/** Upbit writes quote first, with the number of order book levels behind a point where it was asked for: `KRW-BTC`, `KRW-BTC.15`. */
const CODE = /^([A-Z0-9]{1,20})-([A-Z0-9]{1,20})(?:\.\d{1,2})?$/

/** `KRW-BTC` is `BTC-KRW`; undefined where the text is no code of Upbit's. */
export function symbolOfCode(code: string): string | undefined {
  const match = CODE.exec(code)
  if (!match) return undefined
  const [, quote = '', base = ''] = match
  return spotSymbol(base, quote)
}

/** `BTC-KRW` is `KRW-BTC`; undefined where the text is no spot symbol. */
export function codeOfSymbol(symbol: string): string | undefined {
  const parts = splitSpotSymbol(symbol)
  return parts && `${parts.quote}-${parts.base}`
}
