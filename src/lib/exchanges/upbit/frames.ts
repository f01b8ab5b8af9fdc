/** Frames of Upbit's websocket and bodies of its REST answers, in any of its formats (DEFAULT, SIMPLE, JSON_LIST, SIMPLE_LIST). */

import {CoinpipeError} from '../../core/errors.ts'
import {type ExactValue, fillFields, isExactObject, NumberText, parseExact} from '../../core/json-exact.ts'
import {Fields} from '../../core/json-fields.ts'
import {FastScanner} from '../../core/json-scan.ts'
import type {MarketRecord, Micros} from '../../core/records.ts'
import type {DecodedFrame, FrameDecoder, RecordsFrame, Rejection} from '../decoder.ts'
import {FrameTooLargeError, MalformedFrameError, UnknownMessageError} from '../errors.ts'
import {UPBIT_FIELDS} from './fields.ts'
import {UpbitMapper} from './map.ts'

/** All books of all markets in one REST answer are below 2 MiB. */
const MAX_FRAME_LENGTH = 8 * 1024 * 1024
const NO_REJECTIONS: readonly Rejection[] = []
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COMMA = 0x2c

export function createUpbitDecoder(): FrameDecoder {
  return new UpbitDecoder()
}

class UpbitDecoder implements FrameDecoder {
  private readonly scanner = new FastScanner()
  private readonly fields = new Fields(UPBIT_FIELDS)
  private readonly mapper = new UpbitMapper()
  /** Where the item that the fast reader read last ends, spaces behind it included. */
  private itemEnd = 0

  decode(frame: string | Uint8Array, receivedTime: Micros): DecodedFrame {
    try {
      if (frame.length > MAX_FRAME_LENGTH) throw tooLarge(frame.length)
      const text = typeof frame === 'string' ? frame : asBuffer(frame).toString()
      const records = this.fast(text, receivedTime)
      return records ? {kind: 'records', records, rejected: NO_REJECTIONS} : this.exact(parse(text), receivedTime)
    } catch (error) {
      return {kind: 'rejected', ...rejection(error)}
    }
  }

  /** Undefined where anything is unusual, or wrong: then the exact reader says what. */
  private fast(text: string, receivedTime: Micros): readonly MarketRecord[] | undefined {
    if (!this.scanner.load(text)) return undefined
    const start = this.scanner.skipSpace(0)
    if (this.scanner.byteAt(start) === OPEN_BRACKET) return this.fastList(start, text.length, receivedTime)
    const record = this.fastItem(start, receivedTime)
    return record && this.itemEnd === text.length ? [record] : undefined
  }

  private fastList(start: number, end: number, receivedTime: Micros): readonly MarketRecord[] | undefined {
    const {scanner} = this
    const records: MarketRecord[] = []
    let at = start
    do {
      const record = this.fastItem(scanner.skipSpace(at + 1), receivedTime)
      if (!record) return undefined
      records.push(record)
      at = this.itemEnd
    } while (scanner.byteAt(at) === COMMA)
    return scanner.byteAt(at) === CLOSE_BRACKET && scanner.skipSpace(at + 1) === end ? records : undefined
  }

  private fastItem(from: number, receivedTime: Micros): MarketRecord | undefined {
    this.fields.reset()
    const end = this.scanner.object(from, UPBIT_FIELDS, this.fields)
    if (end < 0) return undefined
    this.itemEnd = this.scanner.skipSpace(end)
    try {
      return this.mapper.map(this.fields, receivedTime)
    } catch {
      return undefined
    }
  }

  private exact(value: ExactValue, receivedTime: Micros): DecodedFrame {
    const items = Array.isArray(value) ? (value as readonly ExactValue[]) : [value]
    const control = isExactObject(items[0]) ? controlFrame(items[0]) : undefined
    if (control) return control
    if (!Array.isArray(value)) return {kind: 'records', records: [this.exactItem(value, receivedTime)], rejected: NO_REJECTIONS}
    return this.exactList(items, receivedTime)
  }

  private exactList(items: readonly ExactValue[], receivedTime: Micros): RecordsFrame {
    const records: MarketRecord[] = []
    const rejected: Rejection[] = []
    for (const item of items) {
      try {
        records.push(this.exactItem(item, receivedTime))
      } catch (error) {
        rejected.push(rejection(error))
      }
    }
    return {kind: 'records', records, rejected}
  }

  private exactItem(value: ExactValue, receivedTime: Micros): MarketRecord {
    if (!isExactObject(value)) throw new UnknownMessageError(`upbit sent ${describe(value)} where a message should be`)
    this.fields.reset()
    fillFields(value, UPBIT_FIELDS, this.fields)
    return this.mapper.map(this.fields, receivedTime)
  }
}

/** Status, errors, answers to LIST_SUBSCRIPTIONS and the market list: https://docs.upbit.com/kr/reference/websocket-guide */
function controlFrame(item: {readonly [name: string]: ExactValue}): DecodedFrame | undefined {
  if (isExactObject(item.error)) return {kind: 'error', name: plainText(item.error.name), message: plainText(item.error.message)}
  if (item.status === 'UP') return {kind: 'status', about: 'alive'}
  if ((item.method ?? item.mthd) === 'LIST_SUBSCRIPTIONS') return {kind: 'status', about: 'subscriptions'}
  if (typeof item.market === 'string' && typeof item.english_name === 'string') return {kind: 'status', about: 'markets'}
  return undefined
}

/** REST errors have numbers for names. */
function plainText(value: ExactValue | undefined): string {
  if (value instanceof NumberText) return value.source
  return typeof value === 'string' ? value : ''
}

function parse(text: string): ExactValue {
  try {
    return parseExact(text)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) {
      throw new MalformedFrameError(`upbit sent a frame that is not usable JSON: ${error.message.slice(0, 200)}`, {cause: error})
    }
    throw error
  }
}

function rejection(error: unknown): Rejection {
  if (error instanceof CoinpipeError) return {code: error.code, message: error.message}
  throw error
}

function tooLarge(length: number): FrameTooLargeError {
  return new FrameTooLargeError(`upbit sent a frame of length ${length}; at most ${MAX_FRAME_LENGTH} is read`)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function describe(value: ExactValue): string {
  if (value === null) return 'null'
  if (value instanceof NumberText) return `the number ${value.source.slice(0, 60)}`
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`
}
