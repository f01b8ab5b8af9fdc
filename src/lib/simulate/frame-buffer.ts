/**
 * Websocket frames put together by hand (RFC 6455, section 5.2), so that everything a tick has to say to a kind of subscriber is one buffer, made
 * once and written once to each socket. A server's frames are not masked.
 */

const BINARY = 0x82
const SHORT_LIMIT = 126
const MEDIUM_LIMIT = 65_536

/** Binary frames, as Upbit sends them, one for each text. Every text must be plain ASCII. */
export function binaryFrames(texts: readonly string[]): Buffer {
  let size = 0
  for (const text of texts) size += headerLength(text.length) + text.length
  const buffer = Buffer.allocUnsafe(size)
  let at = 0
  for (const text of texts) {
    at = writeHeader(buffer, at, text.length)
    at += buffer.write(text, at, 'latin1')
  }
  return buffer
}

/** JSON arrays of at most `perFrame` objects each. */
export function listTexts(objects: readonly string[], perFrame: number): string[] {
  const texts: string[] = []
  for (let start = 0; start < objects.length; start += perFrame) texts.push(`[${objects.slice(start, start + perFrame).join(',')}]`)
  return texts
}

function headerLength(payloadLength: number): number {
  return payloadLength < SHORT_LIMIT ? 2 : payloadLength < MEDIUM_LIMIT ? 4 : 10
}

function writeHeader(buffer: Buffer, at: number, payloadLength: number): number {
  buffer[at] = BINARY
  if (payloadLength < SHORT_LIMIT) {
    buffer[at + 1] = payloadLength
    return at + 2
  }
  if (payloadLength < MEDIUM_LIMIT) {
    buffer[at + 1] = 126
    return buffer.writeUInt16BE(payloadLength, at + 2)
  }
  buffer[at + 1] = 127
  return buffer.writeBigUInt64BE(BigInt(payloadLength), at + 2)
}
