import type {Trade} from '../../core/records.ts'

/**
 * The order in which trades are shown: by event time, then as they came. What came together goes by the exchange's sequence, else by the trade id, by
 * number where both are numbers of one kind (the shorter one is the lower one). Total, and the same whichever replica answered.
 */
export function compareShown(a: Trade, b: Trade): number {
  return (
    a.eventTime - b.eventTime ||
    a.receivedTime - b.receivedTime ||
    compareKeys(a.sequence ?? a.tradeId, b.sequence ?? b.tradeId) ||
    compareKeys(a.tradeId, b.tradeId)
  )
}

function compareKeys(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : a > b ? 1 : 0
}
