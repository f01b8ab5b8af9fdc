import type {Decimal, Micros} from '../core/records.ts'

/** What places a trade among others of its market. A Trade is one. */
export interface TradePoint {
  readonly eventTime: Micros
  readonly sequence?: string
  readonly tradeId: string
  readonly price: Decimal
}

/**
 * The order that decides open and close: event time, then the exchange's sequence (where it sends none, the trade id), by number, then the trade
 * id as text. Total: of two different trades of one market one is always first, whichever arrived first.
 */
export function compareTrades(a: TradePoint, b: TradePoint): number {
  return a.eventTime - b.eventTime || compareKeys(a.sequence ?? a.tradeId, b.sequence ?? b.tradeId) || compareText(a.tradeId, b.tradeId)
}

const DIGITS = /^\d+$/

/** Numbers of any length by value, before other texts, which go by code unit. */
function compareKeys(a: string, b: string): number {
  if (a === b) return 0
  const numericA = DIGITS.test(a)
  const numericB = DIGITS.test(b)
  if (numericA !== numericB) return numericA ? -1 : 1
  if (!numericA) return compareText(a, b)
  const digitsA = a.replace(/^0+(?=\d)/, '')
  const digitsB = b.replace(/^0+(?=\d)/, '')
  return digitsA.length - digitsB.length || compareText(digitsA, digitsB)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
