/** What benches measure with. */

export interface Measured {
  readonly frames: number
  /** User and system time of all threads of the process. */
  readonly cpuSeconds: number
}

/** Decodes the frames over and over for so long. */
export function decodeFor(frames: readonly string[], decode: (frame: string) => string, seconds: number): Measured {
  const start = process.cpuUsage()
  const end = performance.now() + seconds * 1000
  let count = 0
  let sum = 0
  do {
    for (const frame of frames) {
      const text = decode(frame)
      // Makes a text that was put together from pieces one piece, as writing it would.
      sum += text.charCodeAt(text.length - 1)
    }
    count += frames.length
  } while (performance.now() < end)
  if (Number.isNaN(sum)) throw new Error('a frame gave an empty text')
  const {user, system} = process.cpuUsage(start)
  return {frames: count, cpuSeconds: (user + system) / 1e6}
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** The value that so large a share of them does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
