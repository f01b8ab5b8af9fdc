import type {BusMessage, GroupDescription, GroupLag, Position, TopicDescription} from '../../core/ports/bus.ts'
import {describeGroup} from '../describe-group.ts'
import {unknownTopic} from '../errors.ts'
import {loadGroup} from './group-store.ts'
import {firstAtOrAfter} from './maintenance.ts'
import type {LogReader} from './reader.ts'

/** What can be asked about a log. Reads only, on the calling thread. */
export class Inspector {
  readonly #reader: LogReader

  constructor(reader: LogReader) {
    this.#reader = reader
  }

  listTopics(): string[] {
    return this.#names('SELECT name FROM topics ORDER BY name')
  }

  describeTopic(topic: string): TopicDescription {
    const row = this.#reader.db.prepare('SELECT retention_ms, retention_bytes FROM topics WHERE name = ?').get(topic)
    if (row === undefined) throw unknownTopic(topic)
    const offsets = this.#reader.partitions(topic).map(({partition, earliest, next}) => ({topic, partition, earliest, latest: next}))
    return {
      name: topic,
      partitions: offsets.length,
      retentionMs: row.retention_ms === null ? null : Number(row.retention_ms),
      retentionBytes: row.retention_bytes === null ? null : Number(row.retention_bytes),
      replicas: 1,
      settings: {},
      offsets,
      replication: [],
    }
  }

  listGroups(): string[] {
    return this.#names('SELECT name FROM groups UNION SELECT grp AS name FROM offsets ORDER BY name')
  }

  describeGroup(group: string): GroupDescription {
    return describeGroup(
      group,
      this.#reader.snapshot(() => loadGroup(this.#reader.db, group)),
    )
  }

  lag(group: string): GroupLag[] {
    const rows = this.#reader.db
      .prepare(
        'SELECT p.topic, p.partition, p.earliest, p.next AS latest, o.next AS committed FROM partitions p ' +
          'LEFT JOIN offsets o ON o.grp = ?1 AND o.topic = p.topic AND o.partition = p.partition ' +
          'WHERE o.next IS NOT NULL OR EXISTS (SELECT 1 FROM holdings h WHERE h.grp = ?1 AND h.topic = p.topic AND h.partition = p.partition) ' +
          'ORDER BY p.topic, p.partition',
      )
      .all(group)
    return rows.map((row) => {
      const [earliest, latest] = [Number(row.earliest), Number(row.latest)]
      const committed = row.committed === null ? null : Number(row.committed)
      const lag = Math.max(0, latest - Math.max(committed ?? earliest, earliest))
      return {topic: String(row.topic), partition: Number(row.partition), committed, latest, lag}
    })
  }

  offsetsAt(topic: string, timestampMs: number): Position[] {
    return this.#reader
      .partitions(topic)
      .map((row) => ({topic, partition: row.partition, offset: firstAtOrAfter(this.#reader.db, row, timestampMs)}))
  }

  read(position: Position, maxRecords: number): readonly BusMessage[] {
    // To a group, a position past the end is one of an earlier log; whoever names an offset here means that one.
    if (position.offset > this.#reader.existingPartition(position).next) return []
    return this.#reader.read({...position, maxRecords, maxBytes: Number.POSITIVE_INFINITY, atLeastOne: true})?.messages ?? []
  }

  countPartitions(): number {
    return Number(this.#reader.db.prepare('SELECT count(*) AS n FROM partitions').get()?.n)
  }

  #names(sql: string): string[] {
    return this.#reader.db
      .prepare(sql)
      .all()
      .map((row) => String(row.name))
  }
}
