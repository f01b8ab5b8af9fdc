import type {DatabaseSync} from 'node:sqlite'

/** Rows deleted in one transaction: some 2 ms, so that a publish never waits long behind retention. */
const CHUNK_ROWS = 1000
const VACUUM_PAGES = 256
/** Free pages are used again by later records; only what is more than this share of the file is given back. */
const FREE_SHARE = 0.25
const MIN_FREE_PAGES = 1024

interface Head {
  readonly id: number
  readonly earliest: number
  readonly next: number
  readonly bytes: number
}

/**
 * Retention, one small step at a time: the caller wraps each step in a transaction of its own and lets publishes in between. Steps return the number
 * of records that they removed. A record is out of sight as soon as it is below its partition's `earliest`; its row goes a little later.
 */
export function* maintain(db: DatabaseSync, nowMs: number): Generator<number, void, void> {
  yield expire(db, nowMs)
  yield* shrink(db)
  yield* sweep(db)
  yield* dropTables(db)
  yield* vacuum(db)
}

/** Moves `earliest` past all records that are too old. Timestamps never step back inside a partition, so a binary search finds the place. */
function expire(db: DatabaseSync, nowMs: number): number {
  const rows = db
    .prepare(
      'SELECT p.id, p.earliest, p.next, t.retention_ms FROM partitions p JOIN topics t ON t.name = p.topic WHERE t.retention_ms IS NOT NULL',
    )
    .all()
  for (const row of rows) {
    const [id, earliest, next] = [Number(row.id), Number(row.earliest), Number(row.next)]
    const keepFrom = firstAtOrAfter(db, {id, earliest, next}, nowMs - Number(row.retention_ms))
    if (keepFrom > earliest) setEarliest(db, id, keepFrom)
  }
  return 0
}

/** First offset whose timestamp is at or after `timestampMs`; `next` where there is none. */
export function firstAtOrAfter(db: DatabaseSync, range: Pick<Head, 'id' | 'earliest' | 'next'>, timestampMs: number): number {
  const at = db.prepare(`SELECT ts FROM log_${range.id} WHERE "offset" = ?`)
  let [low, high] = [range.earliest, range.next]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (Number(at.get(middle)?.ts) < timestampMs) low = middle + 1
    else high = middle
  }
  return low
}

/** Retention by size, over all partitions of a topic: the oldest records go first. */
function* shrink(db: DatabaseSync): Generator<number, void, void> {
  const topics = db.prepare('SELECT name, retention_bytes FROM topics WHERE retention_bytes IS NOT NULL').all()
  for (const topic of topics) {
    for (;;) {
      const heads = headsOf(db, String(topic.name))
      const excess = heads.reduce((sum, head) => sum + head.bytes, 0) - Number(topic.retention_bytes)
      const oldest = excess > 0 ? oldestHead(db, heads) : undefined
      if (oldest === undefined) break
      yield deleteBelow(db, oldest.id, rowsWorth(db, oldest, excess))
    }
  }
}

function headsOf(db: DatabaseSync, topic: string): Head[] {
  return db
    .prepare('SELECT id, earliest, next, bytes FROM partitions WHERE topic = ? AND next > earliest')
    .all(topic)
    .map((row) => ({id: Number(row.id), earliest: Number(row.earliest), next: Number(row.next), bytes: Number(row.bytes)}))
}

function oldestHead(db: DatabaseSync, heads: readonly Head[]): Head | undefined {
  const age = (head: Head) => Number(db.prepare(`SELECT ts FROM log_${head.id} WHERE "offset" = ?`).get(head.earliest)?.ts)
  return heads.map((head) => ({head, ts: age(head)})).sort((a, b) => a.ts - b.ts)[0]?.head
}

/** The offset below which at least `bytes` lie, a chunk at most away. */
function rowsWorth(db: DatabaseSync, head: Head, bytes: number): number {
  const rows = db
    .prepare(
      `SELECT "offset" AS at, coalesce(octet_length(value), 0) AS n FROM log_${head.id} WHERE "offset" >= ? ORDER BY "offset" LIMIT ${CHUNK_ROWS}`,
    )
    .iterate(head.earliest)
  let sum = 0
  let below = head.earliest
  for (const row of rows) {
    sum += Number(row.n)
    below = Number(row.at) + 1
    if (sum >= bytes) break
  }
  return below
}

/** Deletes the rows of records that are out of sight. Looks each partition up again in every step: another process may have deleted its topic. */
function* sweep(db: DatabaseSync): Generator<number, void, void> {
  const select = db.prepare('SELECT id, earliest FROM partitions WHERE id = ?')
  for (const {id} of db.prepare('SELECT id FROM partitions').all()) {
    for (;;) {
      const earliest = select.get(Number(id))?.earliest
      const first = earliest === undefined ? null : db.prepare(`SELECT min("offset") AS first FROM log_${id}`).get()?.first
      if (typeof first !== 'number' || first >= Number(earliest)) break
      yield deleteBelow(db, Number(id), Math.min(Number(earliest), first + CHUNK_ROWS))
    }
  }
}

function deleteBelow(db: DatabaseSync, id: number, below: number): number {
  const doomed = db
    .prepare(`SELECT count(*) AS n, coalesce(sum(octet_length(value)), 0) AS bytes FROM log_${id} WHERE "offset" < ?`)
    .get(below)
  db.prepare(`DELETE FROM log_${id} WHERE "offset" < ?`).run(below)
  db.prepare('UPDATE partitions SET bytes = bytes - ?, earliest = max(earliest, ?) WHERE id = ?').run(Number(doomed?.bytes), below, id)
  return Number(doomed?.n)
}

/** Empties and drops the tables of deleted topics. Another process may be at the same, so each step asks anew what there is to do. */
function* dropTables(db: DatabaseSync): Generator<number, void, void> {
  const next = db.prepare('SELECT id FROM dropped LIMIT 1')
  for (let id = next.get()?.id; id !== undefined; id = next.get()?.id) {
    const {changes} = db.prepare(`DELETE FROM log_${id} WHERE "offset" < (SELECT min("offset") + ${CHUNK_ROWS} FROM log_${id})`).run()
    if (changes === 0) {
      db.exec(`DROP TABLE log_${id}`)
      db.prepare('DELETE FROM dropped WHERE id = ?').run(id)
    }
    yield Number(changes)
  }
}

function* vacuum(db: DatabaseSync): Generator<number, void, void> {
  for (;;) {
    const pages = Number(db.prepare('PRAGMA page_count').get()?.page_count)
    const free = Number(db.prepare('PRAGMA freelist_count').get()?.freelist_count)
    if (free < Math.max(MIN_FREE_PAGES, pages * FREE_SHARE)) return
    db.prepare(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`).all()
    yield 0
  }
}

export function setEarliest(db: DatabaseSync, id: number, earliest: number): void {
  db.prepare('UPDATE partitions SET earliest = ? WHERE id = ?').run(earliest, id)
}
