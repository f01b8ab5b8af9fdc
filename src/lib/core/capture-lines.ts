/** The two line formats of captures; docs/captures.md has both. */
import type {Micros} from './records.ts'

/** What went over a connection: text frames are strings, binary frames bytes. */
export type Payload = string | Uint8Array

export type CaptureEvent =
  /** The client connected. */
  | {readonly kind: 'connect'; readonly time: Micros; readonly url: string}
  /** The client sent something, such as a subscription. */
  | {readonly kind: 'sent'; readonly time: Micros; readonly url: string; readonly payload: Payload}
  /** The exchange sent a frame. */
  | {readonly kind: 'frame'; readonly time: Micros; readonly payload: Payload}
  /** The body of a REST answer. */
  | {readonly kind: 'rest'; readonly time: Micros; readonly url: string; readonly payload: string}

/** What one line of a capture holds; `nothing` is a header, a comment or a blank. */
export type LineContent = CaptureEvent | {readonly kind: 'nothing'} | {readonly kind: 'unreadable'; readonly message: string}

const NOTHING: LineContent = {kind: 'nothing'}
const CAPTURE_VERSION = 1

/** First line of a capture in our own format. */
export function captureHeader(exchange: string): string {
  return JSON.stringify({coinpipe: 'capture', version: CAPTURE_VERSION, exchange})
}

/** An event as a line of our own format, without the line end. */
export function formatLine(event: CaptureEvent): string {
  const {payload, ...rest} = 'payload' in event ? event : {...event, payload: undefined}
  return JSON.stringify(payload === undefined ? rest : {...rest, ...formatPayload(payload)})
}

/** Text frames as `text`, binary frames as `utf8` where they are that, else as `base64`. */
function formatPayload(payload: Payload): Record<string, string> {
  if (typeof payload === 'string') return {text: payload}
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  const text = bytes.toString()
  return bytes.equals(Buffer.from(text)) ? {utf8: text} : {base64: bytes.toString('base64')}
}

/** Reads a line of either format: ours starts with a brace. */
export function parseLine(line: string): LineContent {
  if (line === '' || line.startsWith('configuration: ')) return NOTHING
  if (line.startsWith('{')) return parseOwnLine(line)
  const colon = line.indexOf(': ')
  const time = colon < 0 ? undefined : parseSeconds(line.slice(0, colon))
  if (time !== undefined) return withPayload(line.slice(colon + 2), (payload) => ({kind: 'frame', time, payload}))
  return parseMarkedLine(line)
}

const MARKED = /^(\S+) (<->|<-|->) (\d+(?:\.\d+)?)(?:: (.*))?$/s

/** `URL <-> time`, `URL <- time: sent`, `URL -> time: body`. */
function parseMarkedLine(line: string): LineContent {
  const [, url = '', mark, seconds = '', body = ''] = MARKED.exec(line) ?? []
  const time = parseSeconds(seconds)
  if (time === undefined) return unreadable(`it starts with neither a time, a URL nor a brace: ${line.slice(0, 60)}`)
  if (mark === '<->') return {kind: 'connect', time, url}
  if (mark === '<-') return withPayload(body, (payload) => ({kind: 'sent', time, url, payload}))
  return {kind: 'rest', time, url, payload: withoutHeaders(body)}
}

/** Some answers have their HTTP headers behind the body: ` header: {json}`. */
function withoutHeaders(body: string): string {
  const at = body.lastIndexOf(' header: {')
  return at > 0 && body.endsWith('}') ? body.slice(0, at) : body
}

const SECONDS = /^(\d{1,10})(?:\.(\d{1,20}))?$/

/** Unix seconds to microseconds, digit by digit: a double would round the last ones. */
function parseSeconds(text: string): Micros | undefined {
  const match = SECONDS.exec(text)
  if (!match) return undefined
  const [, whole = '', fraction = ''] = match
  return Number(whole + fraction.slice(0, 6).padEnd(6, '0'))
}

const BYTE_LITERAL = /^b(?:'.*'|".*")$/s

function withPayload(text: string, make: (payload: Payload) => CaptureEvent): LineContent {
  if (!BYTE_LITERAL.test(text)) return make(text)
  const bytes = unescapeBytes(text.slice(2, -1))
  return bytes ? make(bytes) : unreadable(`its byte literal has an escape that Python does not write: ${text.slice(0, 60)}`)
}

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|([\\'"nrt])|)/g
const ESCAPED: Readonly<Record<string, string>> = {'\\': '\\', "'": "'", '"': '"', n: '\n', r: '\r', t: '\t'}
/** A literal is printable ASCII; everything else in it is escaped. */
const PRINTABLE = /^[\x20-\x7e]*$/

/** The bytes of a Python byte literal's inside; undefined where Python would not have written it so. */
export function unescapeBytes(literal: string): Uint8Array | undefined {
  if (!PRINTABLE.test(literal)) return undefined
  if (!literal.includes('\\')) return Buffer.from(literal, 'latin1')
  let valid = true
  const text = literal.replace(ESCAPE, (_all, hex: string | undefined, letter: string | undefined) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    valid &&= letter !== undefined
    return ESCAPED[letter ?? ''] ?? ''
  })
  return valid ? Buffer.from(text, 'latin1') : undefined
}

function parseOwnLine(line: string): LineContent {
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(line) as Record<string, unknown>
  } catch {
    return unreadable(`it is no JSON: ${line.slice(0, 60)}`)
  }
  if (fields.coinpipe === 'capture') return checkHeader(fields)
  return ownEvent(fields) ?? unreadable(`it is no event of a capture: ${line.slice(0, 60)}`)
}

function checkHeader({version}: Record<string, unknown>): LineContent {
  if (version === CAPTURE_VERSION) return NOTHING
  return unreadable(`it announces version ${String(version)} of the capture format; version ${CAPTURE_VERSION} is read`)
}

function ownEvent(fields: Record<string, unknown>): CaptureEvent | undefined {
  const {kind, time, url} = fields
  if (typeof time !== 'number' || !Number.isSafeInteger(time)) return undefined
  const payload = ownPayload(fields)
  if (kind === 'frame' && payload !== undefined) return {kind, time, payload}
  if (typeof url !== 'string') return undefined
  if (kind === 'connect') return {kind, time, url}
  if (kind === 'sent' && payload !== undefined) return {kind, time, url, payload}
  return kind === 'rest' && typeof payload === 'string' ? {kind, time, url, payload} : undefined
}

function ownPayload({text, utf8, base64}: Record<string, unknown>): Payload | undefined {
  if (typeof text === 'string') return text
  if (typeof utf8 === 'string') return Buffer.from(utf8)
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined
}

function unreadable(message: string): LineContent {
  return {kind: 'unreadable', message}
}
