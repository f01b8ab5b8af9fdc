import {isUtf8} from 'node:buffer'
import type {DeadLetter} from './dead-letters.ts'

const EXCERPT_CHARS = 60

/** A dead letter as JSON has it. */
export interface ViewedLetter extends Omit<DeadLetter, 'value'> {
  /** Text where it is that, else hex. */
  readonly value: string | null
  readonly encoding: 'text' | 'hex'
}

export function viewLetter({value, ...letter}: DeadLetter): ViewedLetter {
  if (value === null || typeof value === 'string') return {...letter, value, encoding: 'text'}
  const bytes = Buffer.from(value)
  return isUtf8(bytes) ? {...letter, value: bytes.toString(), encoding: 'text'} : {...letter, value: bytes.toString('hex'), encoding: 'hex'}
}

/** `topic partition:offset`, as far as it is known. */
export function sourceText({source}: Pick<DeadLetter, 'source'>): string {
  if (source === null) return ''
  return source.offset === null ? source.topic : `${source.topic} ${source.partition}:${source.offset}`
}

/** The start of the value on one line. */
export function valueText({value}: ViewedLetter): string {
  if (value === null) return '(none)'
  const line = value.slice(0, EXCERPT_CHARS).replace(/[\p{Cc}\p{Cf}]/gu, ' ')
  return value.length > EXCERPT_CHARS ? `${line}…` : line
}
