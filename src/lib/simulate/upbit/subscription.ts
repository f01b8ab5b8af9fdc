import {CANDLE_TYPES} from './candles.ts'
import {BOOK_DEPTHS, DEFAULT_DEPTH} from './order-book.ts'

/** What a client asked for (docs.upbit.com: websocket guide): which markets of which type, in which format. */
export interface Subscription {
  readonly ticket: string
  /** True for DEFAULT and JSON_LIST, false for SIMPLE and SIMPLE_LIST. */
  readonly fullNames: boolean
  /** True for JSON_LIST and SIMPLE_LIST: a frame is an array. */
  readonly list: boolean
  readonly wants: readonly Want[]
}

export interface Want {
  /** `trade`, `orderbook`, `ticker` or one of the candle types. */
  readonly type: string
  readonly codes: readonly WantedCode[]
  readonly snapshot: boolean
  readonly realtime: boolean
}

export interface WantedCode {
  readonly code: string
  /** Levels of a book. */
  readonly depth: number
  /** Price grouping of a book, 0 for none. */
  readonly level: number
}

/** Error names of the websocket (docs.upbit.com: websocket guide). */
export type ErrorName = 'WRONG_FORMAT' | 'NO_TICKET' | 'NO_TYPE' | 'NO_CODES' | 'INVALID_PARAM' | 'TOO_MANY_REQUESTS'

const ERROR_MESSAGES: Readonly<Record<ErrorName, string>> = {
  WRONG_FORMAT: 'the request is not a JSON array of objects',
  NO_TICKET: 'the ticket is missing',
  NO_TYPE: 'the type is missing',
  NO_CODES: 'the codes are missing',
  INVALID_PARAM: 'a value is not supported',
  TOO_MANY_REQUESTS: 'too many requests on this connection',
}

export function errorText(name: string): string {
  const message = Object.hasOwn(ERROR_MESSAGES, name) ? ERROR_MESSAGES[name as ErrorName] : 'an error on demand'
  return JSON.stringify({error: {name, message}})
}

export type ParsedRequest = {readonly ok: true; readonly subscription: Subscription} | {readonly ok: false; readonly error: ErrorName}

const TYPES: ReadonlySet<string> = new Set(['trade', 'orderbook', 'ticker', ...CANDLE_TYPES.keys()])
const FORMATS: ReadonlySet<string> = new Set(['DEFAULT', 'SIMPLE', 'JSON_LIST', 'SIMPLE_LIST'])

type Fields = Readonly<Record<string, unknown>>

/** Reads `[{ticket}, {type, codes…}…, {format}]`. Codes of markets that are not simulated stay in: they get no data, as on the exchange. */
export function parseRequest(text: string): ParsedRequest {
  const parts = parseObjects(text)
  if (parts === null) return refused('WRONG_FORMAT')
  const ticket = parts.find((part) => typeof part.ticket === 'string' && part.ticket !== '')?.ticket
  if (ticket === undefined) return refused('NO_TICKET')
  const format = parts.find((part) => part.format !== undefined)?.format ?? 'DEFAULT'
  if (typeof format !== 'string' || !FORMATS.has(format)) return refused('WRONG_FORMAT')
  const wanted = parts.filter((part) => part.ticket === undefined && part.format === undefined)
  if (wanted.length === 0 || wanted.some((part) => part.type === undefined)) return refused('NO_TYPE')
  const wants = wanted.map(parseWant)
  const error = wants.find((want): want is ErrorName => typeof want === 'string')
  if (error !== undefined) return refused(error)
  return {
    ok: true,
    subscription: {
      ticket: String(ticket),
      fullNames: !format.startsWith('SIMPLE'),
      list: format.endsWith('LIST'),
      wants: wants.filter((want): want is Want => typeof want !== 'string'),
    },
  }
}

function refused(error: ErrorName): ParsedRequest {
  return {ok: false, error}
}

function parseObjects(text: string): readonly Fields[] | null {
  try {
    const parts: unknown = JSON.parse(text)
    const isObject = (part: unknown): part is Fields => typeof part === 'object' && part !== null && !Array.isArray(part)
    return Array.isArray(parts) && parts.every(isObject) ? parts : null
  } catch {
    // Not JSON: the caller answers WRONG_FORMAT.
    return null
  }
}

function parseWant(part: Fields): Want | ErrorName {
  const {type, codes} = part
  if (typeof type !== 'string' || !TYPES.has(type)) return 'INVALID_PARAM'
  if (!Array.isArray(codes) || codes.length === 0) return 'NO_CODES'
  if (!codes.every((code) => typeof code === 'string')) return 'INVALID_PARAM'
  const level = type === 'orderbook' ? (part.level ?? 0) : 0
  if (typeof level !== 'number' || !(level >= 0)) return 'INVALID_PARAM'
  return {
    type,
    codes: codes.map((code) => wantedCode(code, type, level)),
    snapshot: flag(part, 'is_only_realtime', 'isOnlyRealtime') !== true,
    realtime: flag(part, 'is_only_snapshot', 'isOnlySnapshot') !== true,
  }
}

/** Both spellings are in use: the older one is in every client written before 2024. */
function flag(part: Fields, name: string, olderName: string): unknown {
  return part[name] ?? part[olderName]
}

/** `KRW-BTC.15` asks for 15 levels; a number that is not offered gives the default (docs.upbit.com: websocket, orderbook). */
function wantedCode(text: string, type: string, level: number): WantedCode {
  const [, code = text, suffix] = (type === 'orderbook' ? /^(.+)\.(\d+)$/.exec(text) : null) ?? []
  const depth = BOOK_DEPTHS.find((offered) => String(offered) === suffix) ?? DEFAULT_DEPTH
  return {code, depth, level}
}
