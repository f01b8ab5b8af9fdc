/** Records as the text that travels on the bus, and back. Fast: every record passes here several times. */
import {CoinpipeError, type ErrorDetails, EXIT} from './errors.ts'
import {type CoinRecord, RECORD_TYPES, type RecordType, type Trade} from './records.ts'

/** A value on the bus, or a line of a file, is no record. */
export class InvalidRecordError extends CoinpipeError {
  readonly code = 'COINPIPE_INVALID_RECORD'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.wrong, remedy: ['look at the record with `coinpipe tail`, and at what produced it'], ...details})
  }
}

/** Texts that JSON writes as they are. */
const PLAIN = /^[A-Za-z0-9:._-]*$/

/**
 * The JSON text of a record, equal to what JSON.stringify makes of it. Trades, which are most of the traffic, are written by hand at four times
 * its speed; for order books it is as fast as anything that was tried.
 */
export function encodeRecord(record: CoinRecord): string {
  return record.type === 'trade' ? encodeTrade(record) : JSON.stringify(record)
}

function encodeTrade(trade: Trade): string {
  const {id, exchange, symbol, price, size, side, tradeId} = trade
  // The side is one of two words; the other texts might have come from anywhere.
  const plain = PLAIN.test(id) && PLAIN.test(exchange) && PLAIN.test(symbol) && PLAIN.test(price) && PLAIN.test(size) && PLAIN.test(tradeId)
  if (!plain || trade.sequence !== undefined) return JSON.stringify(trade)
  return `{"type":"trade","id":"${id}","eventTime":${trade.eventTime},"receivedTime":${trade.receivedTime},"exchange":"${exchange}","symbol":"${symbol}","price":"${price}","size":"${size}","side":"${side}","tradeId":"${tradeId}"}`
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
