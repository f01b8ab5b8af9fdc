import {InvalidInputError} from '../../../core/errors.ts'
import {keyspaceProblem} from '../../../core/keyspace.ts'
import {LAST_EXPIRY_SECONDS, MAX_TTL_SECONDS, type TableOptions} from '../options.ts'
import {isIndex, type Table, tablesFor, ttlOf} from '../tables.ts'

/** Throws InvalidInputError for what Cassandra would refuse, or take for something else than is meant. */
export function checkTableOptions(
  keyspace: string,
  {replicas, ttlSeconds, ttlSecondsOf, gcGraceSeconds, windowMinutes}: TableOptions,
): void {
  checkKeyspace(keyspace)
  checkWhole('replicas', replicas, 1, 100)
  checkTtl('ttl', ttlSeconds)
  for (const [record, ttl] of Object.entries(ttlSecondsOf)) if (ttl !== undefined) checkTtl(`ttlOf.${record}`, ttl)
  checkWhole('gcGrace in seconds', gcGraceSeconds, 0, MAX_TTL_SECONDS)
  checkWhole('window in minutes', windowMinutes, 1, MAX_TTL_SECONDS / 60)
}

function checkKeyspace(keyspace: string): void {
  const problem = keyspaceProblem(keyspace)
  if (problem === undefined) return
  const what = problem === 'system keyspace' ? "is one of Cassandra's own keyspaces" : 'is no name for a keyspace'
  throw new InvalidInputError(`'${keyspace}' ${what}`, {
    remedy: ['a letter, then letters, digits and _, all small, 48 at most, and no word of CQL: for example --keyspace coinpipe'],
  })
}

function checkTtl(name: string, ttlSeconds: number | null): void {
  if (ttlSeconds === null) return
  if (ttlSeconds === 0) {
    throw new InvalidInputError(`${name} of 0 would keep nothing, and to Cassandra it means for ever`, {
      remedy: [`write how long, for example 1h; or forever`],
    })
  }
  if (ttlSeconds > MAX_TTL_SECONDS) {
    throw new InvalidInputError(`${name} of ${ttlSeconds} seconds is more than the 20 years that Cassandra takes`, {
      remedy: ['at most 7300d; or forever'],
    })
  }
  checkWhole(`${name} in seconds`, ttlSeconds, 1, MAX_TTL_SECONDS)
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new InvalidInputError(`${name} is ${value}`, {remedy: [`a whole number from ${least} to ${most}`]})
}

/** What works, but perhaps not as it was meant. `nodesUp` are those of the data centre, `nowMs` is since the epoch. */
export function tableWarnings(options: TableOptions, nodesUp: number, nowMs: number): readonly string[] {
  const {replicas, bucket} = options
  const expiry = (table: Table) => nowMs / 1000 + (ttlOf(table, options) ?? 0)
  // Index rows are written so that they end no later than nodes take.
  const tooLong = tablesFor(bucket).filter((table) => !isIndex(table.record) && expiry(table) > LAST_EXPIRY_SECONDS)
  return [
    ...(nodesUp >= replicas
      ? []
      : [
          `each row is to have ${replicas} copies, and nodes that are up: ${nodesUp}; until there are more, a consistency above one may fail`,
        ]),
    ...(tooLong.length === 0
      ? []
      : [
          `rows would expire after 2038-01-19, which Cassandra refuses unless storage_compatibility_mode in its cassandra.yaml is NONE: ${tooLong
            .map(({name}) => name)
            .join(', ')}`,
        ]),
  ]
}
