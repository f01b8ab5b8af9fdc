/** What a stream of bytes is cut into. */
export interface RawRecord {
  /** From 1; empty ones count too. */
  readonly number: number
  /** Without the delimiter; undefined where it is longer than allowed: it is skipped, not kept. */
  readonly bytes: Buffer | undefined
  readonly size: number
}

/** Cuts at a delimiter of one byte or more; what stands behind the last one is a record too. Yields those that each chunk completes. */
export async function* splitRecords(
  chunks: AsyncIterable<Uint8Array>,
  delimiter: Uint8Array,
  maxBytes: number,
): AsyncGenerator<readonly RawRecord[]> {
  const splitter = new Splitter(Buffer.from(delimiter), maxBytes)
  for await (const chunk of chunks) {
    const records = splitter.push(chunk)
    if (records.length > 0) yield records
  }
  const rest = splitter.end()
  if (rest !== undefined) yield [rest]
}

class Splitter {
  readonly #delimiter: Buffer
  readonly #maxBytes: number
  #parts: Buffer[] = []
  #size = 0
  #number = 0
  /** May be the start of a delimiter that goes on in the next chunk. */
  #held: Buffer = Buffer.alloc(0)

  constructor(delimiter: Buffer, maxBytes: number) {
    this.#delimiter = delimiter
    this.#maxBytes = maxBytes
  }

  push(chunk: Uint8Array): RawRecord[] {
    const bytes =
      this.#held.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([this.#held, chunk])
    const records: RawRecord[] = []
    let from = 0
    for (let at = bytes.indexOf(this.#delimiter); at >= 0; at = bytes.indexOf(this.#delimiter, from)) {
      this.#add(bytes.subarray(from, at))
      records.push(this.#take())
      from = at + this.#delimiter.length
    }
    const held = Math.max(from, bytes.length - this.#delimiter.length + 1)
    this.#add(bytes.subarray(from, held))
    this.#held = bytes.subarray(held)
    return records
  }

  end(): RawRecord | undefined {
    this.#add(this.#held)
    this.#held = Buffer.alloc(0)
    return this.#size === 0 ? undefined : this.#take()
  }

  #add(part: Buffer): void {
    this.#size += part.length
    if (this.#size > this.#maxBytes) this.#parts = []
    else if (part.length > 0) this.#parts.push(part)
  }

  #take(): RawRecord {
    const [parts, size] = [this.#parts, this.#size]
    this.#parts = []
    this.#size = 0
    this.#number += 1
    const bytes = size > this.#maxBytes ? undefined : parts.length === 1 ? parts[0] : Buffer.concat(parts)
    return {number: this.#number, bytes, size}
  }
}
