import {createHash} from 'node:crypto'

/**
 * The id of a table, the same for all who create it: nodes that make one name with two ids at once never agree again (CASSANDRA-10699). It follows from when
 * the keyspace was made, on which nodes agree by the newest write, so that a keyspace that is dropped and made again has other ids, and files, hints and commit
 * logs of the old one stay out of it. A UUID of version 8 (RFC 9562: contents are ours).
 */
export function tableId(keyspace: string, keyspaceWrittenUs: string, table: string): string {
  const bytes = createHash('sha256').update(`${keyspace}\n${keyspaceWrittenUs}\n${table}`).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
