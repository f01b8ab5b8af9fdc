import type {BusMessage, GroupDescription, GroupLag, Position, TopicDescription, TopicPartition} from '../../core/ports/bus.ts'
import {unknownTopic} from '../errors.ts'
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
    const row = this.#reader.db.prepare('SELECT partitions, retention_ms, retention_bytes FROM topics WHERE name = ?').get(topic)
    if (row === undefined) throw unknownTopic(topic)
    return {
      name: topic,
      partitions: Number(row.partitions),
      retentionMs: row.retention_ms === null ? null : Number(row.retention_ms),
      retentionBytes: row.retention_bytes === null ? null : Number(row.retention_bytes),
      offsets: this.#reader.partitions(topic).map(({partition, earliest, next}) => ({topic, partition, earliest, latest: next})),
    }
  }

  listGroups(): string[] {
    return this.#names('SELECT name FROM groups UNION SELECT grp AS name FROM offsets ORDER BY name')
  }

  describeGroup(group: string): GroupDescription {
    const {db} = this.#reader
    const generation = Number(db.prepare('SELECT generation FROM groups WHERE name = ?').get(group)?.generation ?? 0)
    const held = db.prepare('SELECT topic, partition FROM holdings WHERE grp = ? AND owner = ? ORDER BY topic, partition')
    const partitions = (member: string) =>
      held.all(group, member).map((row): TopicPartition => ({topic: String(row.topic), partition: Number(row.partition)}))
    const members = db.prepare('SELECT id FROM members WHERE grp = ? ORDER BY id').all(group)
    return {group, generation, members: members.map(({id}) => ({id: String(id), partitions: partitions(String(id))}))}
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
    this.#reader.existingPartition(position)
    return this.#reader.read({...position, maxRecords, maxBytes: Number.POSITIVE_INFINITY, atLeastOne: true})?.messages ?? []
  }

  #names(sql: string): string[] {
    return this.#reader.db
      .prepare(sql)
      .all()
      .map((row) => String(row.name))
  }
}
