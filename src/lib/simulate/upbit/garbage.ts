import type {GarbageKind} from '../faults.ts'

const HUGE_CHARS = 10 * 1024 * 1024

/** Frames that no exchange should send, each with an id that no real trade has. */
export function garbageText(kind: GarbageKind, code: string, timeMs: number, fullNames: boolean): string {
  switch (kind) {
    case 'malformed':
      return `{"${fullNames ? 'type' : 'ty'}":"trade","${fullNames ? 'code' : 'cd'}":"${code}",`
    case 'unknown':
      return fullNames ? `{"type":"mystery","code":"${code}","timestamp":${timeMs}}` : `{"ty":"mystery","cd":"${code}","tms":${timeMs}}`
    case 'missing':
      return tradeText(code, timeMs, fullNames, null, '')
    case 'huge':
      return tradeText(code, timeMs, fullNames, null, 'x'.repeat(HUGE_CHARS))
    case 'nan':
      return tradeText(code, timeMs, fullNames, 'NaN', '')
    case 'negative':
      return tradeText(code, timeMs, fullNames, '-1.0', '')
  }
}

/** A trade of price `price`, or without one; `padding` makes it long. */
function tradeText(code: string, timeMs: number, fullNames: boolean, price: string | null, padding: string): string {
  const name = (full: string, short: string): string => (fullNames ? full : short)
  const fields = [
    `"${name('type', 'ty')}":"trade"`,
    `"${name('code', 'cd')}":"${code}"`,
    `"${name('timestamp', 'tms')}":${timeMs}`,
    `"${name('trade_timestamp', 'ttms')}":${timeMs}`,
    ...(price === null ? [] : [`"${name('trade_price', 'tp')}":${price}`]),
    `"${name('trade_volume', 'tv')}":1.0`,
    `"${name('ask_bid', 'ab')}":"BID"`,
    `"${name('sequential_id', 'sid')}":99999999999999999`,
    ...(padding === '' ? [] : [`"padding":"${padding}"`]),
    `"${name('stream_type', 'st')}":"REALTIME"`,
  ]
  return `{${fields.join(',')}}`
}
