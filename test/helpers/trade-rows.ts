import type {CassandraSession} from '../../src/lib/store/cassandra/session.ts'

const PAGE = 5000
const TIMEOUT_MS = 20_000

/** What is in the tables, held against what was acknowledged. */
export interface RowsVerdict {
  readonly rows: number
  /** Acknowledged, and absent at ALL with every node up. */
  readonly lost: readonly string[]
  /** In the tables, and never acknowledged. */
  readonly unexpected: readonly string[]
  /** Rows beyond the first of an id: the same trade in another partition or at another time. */
  readonly repeated: number
}

const TRADES = 'SELECT exchange, symbol, id FROM'

interface IdRow {
  get(name: string): unknown
}

/** The record ids of all trades in a keyspace, one for each row, at ALL. Rejects where a node is down: then it is unknown what there is. */
export async function storedTradeIds(session: CassandraSession, keyspace: string): Promise<string[]> {
  const query = `${TRADES} ${keyspace}.trade_by_symbol`
  const pages = await Array.fromAsync(session.pages(query, [], {consistency: 'all', fetchSize: PAGE, requestTimeoutMs: TIMEOUT_MS}))
  return pages.flatMap((page) => page.map(idOf))
}

export async function judgeRows(session: CassandraSession, keyspace: string, acknowledged: ReadonlySet<string>): Promise<RowsVerdict> {
  const rows = await storedTradeIds(session, keyspace)
  const distinct = new Set(rows)
  return {
    rows: rows.length,
    lost: without(acknowledged, distinct),
    unexpected: without(distinct, acknowledged),
    repeated: rows.length - distinct.size,
  }
}

/**
 * How many of `acknowledged` are absent at ONE when a certain node is asked, which answers from its own copy where it has one: stale rows, where none are
 * lost.
 */
export async function countStale(
  {client, driver}: CassandraSession,
  address: string,
  keyspace: string,
  acknowledged: ReadonlySet<string>,
): Promise<number> {
  const host = client.hosts.values().find((known) => known.address.startsWith(`${address}:`))
  if (!host) throw new Error(`no node at ${address}`)
  const consistency = driver.types.consistencies.one
  const found = new Set<string>()
  for (let pageState: string | undefined; ; ) {
    const page = {fetchSize: PAGE, readTimeout: TIMEOUT_MS, ...(pageState ? {pageState} : {})}
    const result = await client.execute(`${TRADES} ${keyspace}.trade_by_symbol`, [], {prepare: true, host, consistency, ...page})
    for (const row of result.rows) found.add(idOf(row))
    if (!result.pageState) return without(acknowledged, found).length
    pageState = result.pageState
  }
}

export function without(ids: ReadonlySet<string>, others: ReadonlySet<string>): string[] {
  return [...ids].filter((id) => !others.has(id))
}

function idOf(row: IdRow): string {
  return `trade:${row.get('exchange')}:${row.get('symbol')}:${row.get('id')}`
}
