/** Names of Cassandra keyspaces that need no quotes. */

/** Cassandra's own rule, but for capitals: without quotes CQL makes them small. */
const NAME = /^[a-z][a-z0-9_]{0,47}$/
const SYSTEM = /^(system|system_.*|dse_.*)$/
/** Reserved by CQL (appendix A of its reference). */
const RESERVED = new Set(
  `add allow alter and apply asc authorize batch begin by columnfamily create default delete desc describe drop entries execute from full grant if in index
  infinity insert into is keyspace limit materialized mbean mbeans modify nan norecursive not null of on or order primary rename replace revoke schema select
  set table to token truncate unlogged unset update use using view where with`.split(/\s+/),
)

/** What keeps us from calling a keyspace so; undefined where nothing does. */
export function keyspaceProblem(name: string): 'no name' | 'reserved word' | 'system keyspace' | undefined {
  if (!NAME.test(name)) return 'no name'
  if (RESERVED.has(name)) return 'reserved word'
  return SYSTEM.test(name) ? 'system keyspace' : undefined
}
