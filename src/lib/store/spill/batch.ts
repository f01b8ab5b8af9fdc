import type {OutgoingRecord} from '../../core/ports/bus.ts'

/** JSON with bytes as base64: [topic, partition or null, key, value, 1 where the value is bytes, headers or null]. */
type Row = [
  topic: string,
  partition: number | null,
  key: string | null,
  value: string | null,
  bytes: 0 | 1,
  headers: Record<string, string> | null,
]

export function encodeBatch(records: readonly OutgoingRecord[]): Buffer {
  const rows: Row[] = records.map(({topic, partition, key, value, headers}) => {
    const isBytes = value instanceof Uint8Array
    const text = isBytes ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') : value
    return [topic, partition ?? null, key, text, isBytes ? 1 : 0, headers ?? null]
  })
  return Buffer.from(JSON.stringify(rows))
}

export function decodeBatch(payload: Buffer): OutgoingRecord[] {
  const rows = JSON.parse(payload.toString('utf8')) as Row[]
  return rows.map(([topic, partition, key, text, bytes, headers]) => ({
    topic,
    ...(partition === null ? {} : {partition}),
    key,
    value: bytes && text !== null ? Buffer.from(text, 'base64') : text,
    ...(headers === null ? {} : {headers}),
  }))
}
