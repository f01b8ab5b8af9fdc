/** Records as the text that travels on the bus, and back. Fast: every record passes here several times. */
import {CoinpipeError, type ErrorDetails, EXIT} from './errors.ts'
import {type Book, type CoinRecord, type Level, type Micros, RECORD_TYPES, type RecordType, type Trade} from './records.ts'

/** A value on the bus, or a line of a file, is no record. */
export class InvalidRecordError extends CoinpipeError {
  readonly code = 'COINPIPE_INVALID_RECORD'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.wrong, remedy: ['look at what wrote it: a newer coinpipe, or another program?'], ...details})
  }
}

/** Texts that JSON writes as they are. */
const PLAIN = /^[A-Za-z0-9:._-]*$/

/**
 * The JSON text of a record, equal to what JSON.stringify makes of it. Trades and books, which are nearly all of the traffic, are written by hand:
 * JSON.stringify takes a third longer for records whose texts were cut out of a frame. That trusts the contract of core/records.ts: decimals hold
 * no marks but `-` and `.`, and the id holds exchange, symbol and trade id, so that one look at it is enough.
 */
export function encodeRecord(record: CoinRecord): string {
  if (record.type === 'trade' && record.sequence === undefined && PLAIN.test(record.id)) return encodeTrade(record)
  if (record.type === 'book' && record.sequence === undefined && record.checksum === undefined && PLAIN.test(record.id))
    return encodeBook(record)
  return JSON.stringify(record)
}

function encodeTrade({id, eventTime, receivedTime, exchange, symbol, price, size, side, tradeId}: Trade): string {
  return `{"type":"trade","id":"${id}","eventTime":${microsText(eventTime)},"receivedTime":${microsText(receivedTime)},"exchange":"${exchange}","symbol":"${symbol}","price":"${price}","size":"${size}","side":"${side}","tradeId":"${tradeId}"}`
}

function encodeBook({id, eventTime, receivedTime, exchange, symbol, kind, bids, asks}: Book): string {
  return `{"type":"book","id":"${id}","eventTime":${microsText(eventTime)},"receivedTime":${microsText(receivedTime)},"exchange":"${exchange}","symbol":"${symbol}","kind":"${kind}","bids":[${encodeLevels(bids)}],"asks":[${encodeLevels(asks)}]}`
}

const THREE_DIGITS: readonly string[] = Array.from({length: 1000}, (_, number) => number.toString().padStart(3, '0'))
const US_PER_SECOND = 1_000_000
/** From 2001 until 2033 seconds have ten digits and are small integers to V8. */
const SMALL_TIMES = {from: 1e15, to: 2e15} as const

/** The digits of a time; put together from small integers, which V8 writes a third faster than large ones. */
function microsText(time: Micros): string {
  if (time < SMALL_TIMES.from || time >= SMALL_TIMES.to) return String(time)
  const seconds = Math.floor(time / US_PER_SECOND)
  const micros = time - seconds * US_PER_SECOND
  const thousands = Math.floor(micros / 1000)
  return `${seconds}${THREE_DIGITS[thousands]}${THREE_DIGITS[micros - thousands * 1000]}`
}

function encodeLevels(levels: readonly Level[]): string {
  let text = ''
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i] as Level
    text += `${i === 0 ? '["' : ',["'}${level[0]}","${level[1]}"]`
  }
  return text
}

/** Which fields of a type have to be there, and with which type of value; `object` is a list or an object, never null. */
type Shape = readonly (readonly [field: string, type: 'string' | 'number' | 'boolean' | 'object'])[]

const TIMES: Shape = [
  ['eventTime', 'number'],
  ['receivedTime', 'number'],
]
const MARKET: Shape = [...TIMES, ['exchange', 'string'], ['symbol', 'string']]

const SHAPES: Readonly<Record<RecordType, Shape>> = {
  trade: [...MARKET, ['price', 'string'], ['size', 'string'], ['side', 'string'], ['tradeId', 'string']],
  book: [...MARKET, ['kind', 'string'], ['bids', 'object'], ['asks', 'object']],
  ticker: [...MARKET, ['last', 'string']],
  candle: [
    ...MARKET,
    ['interval', 'string'],
    ['startTime', 'number'],
    ['open', 'string'],
    ['high', 'string'],
    ['low', 'string'],
    ['close', 'string'],
    ['volumeBase', 'string'],
    ['volumeQuote', 'string'],
    ['closed', 'boolean'],
    ['version', 'number'],
    ['origin', 'string'],
  ],
  gap: [...MARKET, ['channel', 'string'], ['reason', 'string'], ['from', 'number'], ['state', 'string'], ['filled', 'number']],
  product: [...TIMES, ['pid', 'string'], ['condition', 'string'], ['images', 'object'], ['scrapedAt', 'number']],
  webEvent: [...TIMES, ['name', 'string'], ['fields', 'object']],
  adClick: [
    ...TIMES,
    ['ad_id', 'string'],
    ['event_id', 'string'],
    ['ts', 'number'],
    ['user_id', 'string'],
    ['ip', 'string'],
    ['country', 'string'],
  ],
  lifecycle: [...TIMES, ['component', 'string'], ['event', 'string'], ['message', 'string']],
}

/**
 * Reads a record. Checks that it has the fields of its type with the right types of values, not what the texts say: records on the bus come from
 * {@link encodeRecord}, and what comes from outside is checked by core/record-schemas.ts first. Throws InvalidRecordError.
 */
export function decodeRecord(value: string | Uint8Array): CoinRecord {
  const text = typeof value === 'string' ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()
  const parsed = parse(text)
  if (typeof parsed !== 'object' || parsed === null) throw new InvalidRecordError(`expected a record, saw ${excerpt(text)}`)
  const fields = parsed as Record<string, unknown>
  const shape = shapeOf(fields.type)
  if (!shape) throw new InvalidRecordError(`a record's type must be one of ${RECORD_TYPES.join(', ')}; saw ${excerpt(text)}`)
  if (typeof fields.id !== 'string') throw new InvalidRecordError(`a ${fields.type as string} must have id (string); saw ${excerpt(text)}`)
  for (const [field, type] of shape) {
    const seen = fields[field]
    if (typeof seen !== type || seen === null) {
      throw new InvalidRecordError(`${excerpt(fields.id)} must have ${field} (${type}); saw ${excerpt(JSON.stringify(seen) ?? 'nothing')}`)
    }
  }
  return parsed as CoinRecord
}

function shapeOf(type: unknown): Shape | undefined {
  return typeof type === 'string' && Object.hasOwn(SHAPES, type) ? SHAPES[type as RecordType] : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InvalidRecordError(`a record must be JSON; saw ${excerpt(text)}`, {cause: error})
  }
}

function excerpt(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}… (${text.length} characters)` : text
}
