/**
 * Numbers as Upbit writes them in JSON: whole ones with `.0`, small ones with an exponent (`127.0`, `0.00012221`, `9.9E-7`), as seen in real traffic.
 */
export function numberText(value: number): string {
  const text = String(value)
  if (text.includes('e')) return text.replace('e', 'E')
  return Number.isInteger(value) ? `${text}.0` : text
}

/** Trades carry the previous close and the change with eight decimals (`123.00000000`). */
export function eightDecimals(value: number): string {
  return value.toFixed(8)
}

export const VOLUME_UNITS = 100_000_000

export function volumeText(units: number): string {
  return numberText(units / VOLUME_UNITS)
}

/** `2021-04-17` and `16:51:02`, UTC. */
export function utcDate(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10)
}

export function utcTime(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 19)
}

/** `2021-04-17T16:51:02`, without a zone, as candles carry it. */
export function isoSeconds(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19)
}
