import {TOKENS} from '../node/cassandra.ts'

const RING_START = -(2n ** 63n)
const RING_SIZE = 2n ** 64n

/**
 * Tokens of node `number` (from 1) of `count` that start on empty folders, all at once: evenly spread, so that each node keeps the same share of the rows with
 * two copies. Every two nodes are neighbours somewhere, so each keeps copies of every other's rows.
 */
export function tokensOf(number: number, count: number): bigint[] {
  const step = RING_SIZE / BigInt(TOKENS * count)
  return Array.from({length: TOKENS}, (_, round) => {
    // The order of the first round, 0, 1, -1, 2, -2 and so on, has neighbours at every distance; each round moves it on by one. Two nodes only take turns.
    const shift = count > 2 ? round : 0
    const place = placeOf((((number - 1 - shift) % count) + count) % count, count)
    return RING_START + step / 2n + step * BigInt(round * count + place)
  })
}

/** Where `offset` (0 to count - 1) stands in 0, 1, -1, 2, -2 and so on, by count. */
function placeOf(offset: number, count: number): number {
  return offset <= count / 2 ? Math.max(0, 2 * offset - 1) : 2 * (count - offset)
}
