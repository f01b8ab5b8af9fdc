import type avro from 'avsc'

type Avro = typeof avro
type ReadOptions = Parameters<Avro['Type']['forSchema']>[1]

/**
 * Options for avsc that read a long as a BigInt, so that ids beyond 2^53 stay what they are. Unions come without a wrapper, save those whose branches
 * could not be told apart.
 */
export function readLongsExactly({types}: Avro): ReadOptions {
  const long = types.LongType.__with({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer: (value: bigint) => {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64LE(value)
      return bytes
    },
    fromJSON: BigInt,
    toJSON: String,
    isValid: (value: unknown) => typeof value === 'bigint',
    compare: (a: bigint, b: bigint) => Number(a > b) - Number(a < b),
  })
  return {typeHook: (schema) => (isLong(schema) ? long : undefined), wrapUnions: 'auto'}
}

/** Also where a logical type, such as a time, lies over it. */
function isLong(schema: unknown): boolean {
  return schema === 'long' || (typeof schema === 'object' && schema !== null && 'type' in schema && schema.type === 'long')
}

/** JSON of what avsc read. Bytes become text with one character for each byte, as in Avro's own JSON; numbers that JSON has none for, their names. */
export function avroJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : JSON.stringify(String(value))
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1'))
  if (Array.isArray(value)) return `[${value.map(avroJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  return `{${Object.entries(value)
    .map(([name, item]) => `${JSON.stringify(name)}:${avroJson(item)}`)
    .join(',')}}`
}
