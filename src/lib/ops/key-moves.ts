/** What more partitions do to keys: core/partitioner.ts takes the hash modulo their number, so most keys go elsewhere from then on. */

import {InvalidInputError} from '../core/errors.ts'
import {partitionForKey} from '../core/partitioner.ts'
import type {BusAdmin, BusMessage, PartitionOffsets, TopicDescription} from '../core/ports/bus.ts'
import {counted, percent} from './format.ts'
import {mapLimited} from './map-limited.ts'

/** The newest records of each partition that are looked at. */
const SAMPLE_RECORDS = 1000
const READ_AT_ONCE = 4

export interface KeyMoves {
  /** Records looked at, the newest of each partition, and those of them that have a key. */
  readonly sampled: number
  readonly keyed: number
  /** Distinct keys, and those that go to another partition from then on. */
  readonly keys: number
  readonly movedKeys: number
  /** Records whose key goes to another partition. */
  readonly movedRecords: number
  /** Distinct keys that lie elsewhere than the hash says, because they are pinned or something else chose the partition. */
  readonly placedOtherwise: number
  /** Share of all possible keys that move, 0 to 1. */
  readonly expectedShare: number
}

/** What `topics add-partitions` answers. */
export interface AddedPartitions {
  readonly topic: string
  readonly before: number
  readonly after: number
  readonly keys: KeyMoves
}

/** Throws InvalidInputError where `after` is not more than `before`. */
export function checkMore(topic: string, before: number, after: number): void {
  if (after > before) return
  throw new InvalidInputError(`topic '${topic}' has ${counted(before, 'partition')}, ${after} is not more`, {
    remedy: ['--partitions is the number that it has then, all together; a topic never gets fewer'],
  })
}

/** The moves as people read them. */
export function describeKeyMoves(moves: KeyMoves): string[] {
  const {sampled, keyed, keys, movedKeys, movedRecords, placedOtherwise, expectedShare} = moves
  if (sampled === 0) return ['there is no record yet whose key could move']
  if (keyed === 0) return [`the newest ${counted(sampled, 'record')} have no key: order inside a key is not at stake`]
  return [
    `${movedKeys} of ${counted(keys, 'key')} (${percent(movedKeys / keys)}) go to another partition; of any keys it is ${percent(expectedShare)}`,
    `${movedRecords} of the newest ${counted(keyed, 'record')} with a key (${percent(movedRecords / keyed)}) are of these`,
    ...(placedOtherwise === 0
      ? []
      : [`${counted(placedOtherwise, 'key')} lie where not the hash but something else, such as a pin, put them`]),
  ]
}

/** Counts over real keys of the topic which go elsewhere once it has `partitions` partitions. */
export async function findKeyMoves(admin: BusAdmin, topic: TopicDescription, partitions: number): Promise<KeyMoves> {
  const samples = await mapLimited(topic.offsets, READ_AT_ONCE, (offsets) => readNewest(admin, offsets))
  return countKeyMoves(samples.flat(), topic.partitions, partitions)
}

/** A pure function of the records. */
export function countKeyMoves(records: readonly Pick<BusMessage, 'key' | 'partition'>[], before: number, after: number): KeyMoves {
  const keyed = records.flatMap(({key, partition}) => (key === null ? [] : [{key, partition}]))
  const keys = [...new Set(keyed.map(({key}) => key))]
  const moved = new Set(keys.filter((key) => partitionForKey(key, before) !== partitionForKey(key, after)))
  const otherwise = new Set(keyed.filter(({key, partition}) => partitionForKey(key, before) !== partition).map(({key}) => key))
  return {
    sampled: records.length,
    keyed: keyed.length,
    keys: keys.length,
    movedKeys: moved.size,
    movedRecords: keyed.filter(({key}) => moved.has(key)).length,
    placedOtherwise: otherwise.size,
    expectedShare: expectedMoveShare(before, after),
  }
}

/**
 * Of the hashes 0 to lcm − 1, exactly one gives the remainder r by both numbers for each r below the smaller one; all others move. Where `after` is a
 * multiple of `before` that is 1 − before/after.
 */
export function expectedMoveShare(before: number, after: number): number {
  return 1 - Math.min(before, after) / ((before / greatestCommonDivisor(before, after)) * after)
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

/** A read may bring less than was asked for; offsets may have holes. */
async function readNewest(admin: BusAdmin, {topic, partition, earliest, latest}: PartitionOffsets): Promise<BusMessage[]> {
  const records: BusMessage[] = []
  let offset = Math.max(earliest, latest - SAMPLE_RECORDS)
  while (offset < latest) {
    const read = await admin.read({topic, partition, offset}, SAMPLE_RECORDS - records.length)
    const last = read.at(-1)
    if (last === undefined) break
    records.push(...read)
    offset = last.offset + 1
    if (records.length >= SAMPLE_RECORDS) break
  }
  return records
}
