/**
 * Sequential ids as Upbit hands them out: 17 digits (beyond 2^53), unique within one market only, and not in the order of time.
 *
 * Time is cut into blocks of 2 s. Within a block the k-th trade of a market gets the k-th number of a fixed permutation of the block's ids, so ids jump
 * about by up to 2 s but never repeat; from block to block they rise. Every market walks the same permutation, so markets share ids.
 */

/** Ids are in order of time only across blocks of this length, milliseconds. */
export const ID_BLOCK_MS = 2000

const IDS_PER_MS = 10_000
const IDS_PER_BLOCK = ID_BLOCK_MS * IDS_PER_MS
/** Odd and no multiple of 5, so coprime to the block's size: multiplying permutes the block. */
const STRIDE = 7_654_321

export interface TradeId {
  /** Start of the block, milliseconds since the epoch. */
  readonly blockMs: number
  /** Place in the block, 0 to 19,999,999; ids of a block are ordered by it. */
  readonly offset: number
}

export function blockOf(timeMs: number): number {
  return timeMs - (timeMs % ID_BLOCK_MS)
}

/** Place in its block of a market's k-th trade there, k from 0. */
export function idOffset(k: number): number {
  return (k * STRIDE) % IDS_PER_BLOCK
}

/** The id as 17 digits. */
export function idText(blockMs: number, offset: number): string {
  const rest = offset % IDS_PER_MS
  return `${blockMs + (offset - rest) / IDS_PER_MS}${String(rest).padStart(4, '0')}`
}

/** Reads any whole number as an id; null for anything else. */
export function parseId(text: string): TradeId | null {
  if (!/^\d{1,18}$/.test(text)) return null
  const id = BigInt(text)
  const timeMs = Number(id / BigInt(IDS_PER_MS))
  const blockMs = blockOf(timeMs)
  return {blockMs, offset: (timeMs - blockMs) * IDS_PER_MS + Number(id % BigInt(IDS_PER_MS))}
}
