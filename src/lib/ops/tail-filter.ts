/** What a filter of `tail` means; the words of the language are in docs/tail.md. Nothing of it is ever run as code. */

import {canonicalDecimal} from '../core/decimal.ts'
import {type ExactValue, isExactObject, NumberText, parseExact} from '../core/json-exact.ts'
import type {BusMessage, Value} from '../core/ports/bus.ts'
import type {Shown} from './tail-format.ts'

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>='

export type Expression =
  | {readonly kind: 'or' | 'and'; readonly left: Expression; readonly right: Expression}
  | {readonly kind: 'not'; readonly operand: Expression}
  | {readonly kind: 'compare'; readonly operator: Comparison; readonly left: Operand; readonly right: Operand}
  | {readonly kind: 'match'; readonly operand: Operand; readonly pattern: RegExp}
  /** The operand is there, and neither false nor null. */
  | {readonly kind: 'holds'; readonly operand: Operand}

export type Operand =
  | {readonly kind: 'literal'; readonly value: ExactValue}
  /** A part of the payload; no steps are all of it. */
  | {readonly kind: 'field'; readonly steps: readonly (string | number)[]}
  | {readonly kind: 'header'; readonly name: string}
  | {readonly kind: 'about'; readonly name: About}

/** What a record has beside its payload and headers; `value` is the payload as text. */
export const ABOUT = ['key', 'partition', 'offset', 'timestamp', 'topic', 'value'] as const
export type About = (typeof ABOUT)[number]

/** Whether the record is wanted. What a record does not have makes every comparison with it false. */
export function holds(expression: Expression, shown: Shown): boolean {
  return evaluate(expression, new Subject(shown))
}

function evaluate(expression: Expression, subject: Subject): boolean {
  switch (expression.kind) {
    case 'or':
      return evaluate(expression.left, subject) || evaluate(expression.right, subject)
    case 'and':
      return evaluate(expression.left, subject) && evaluate(expression.right, subject)
    case 'not':
      return !evaluate(expression.operand, subject)
    case 'compare':
      return compare(expression.operator, subject.value(expression.left), subject.value(expression.right))
    case 'match': {
      const text = textOf(subject.value(expression.operand))
      return text !== undefined && expression.pattern.test(text)
    }
    case 'holds': {
      const value = subject.value(expression.operand)
      return value !== undefined && value !== null && value !== false
    }
  }
}

/** A record whose payload is parsed once, and only where the filter asks for it. */
class Subject {
  readonly #shown: Shown
  #document: {readonly value: ExactValue | undefined} | undefined

  constructor(shown: Shown) {
    this.#shown = shown
  }

  value(operand: Operand): ExactValue | undefined {
    if (operand.kind === 'literal') return operand.value
    if (operand.kind === 'field') return operand.steps.reduce(step, this.#parsed())
    const {message, payload} = this.#shown
    if (operand.kind === 'about') return about(operand.name, message, payload.shown)
    return Object.hasOwn(message.headers, operand.name) ? message.headers[operand.name] : undefined
  }

  #parsed(): ExactValue | undefined {
    this.#document ??= {value: parsed(this.#shown.payload.json ?? this.#shown.payload.shown)}
    return this.#document.value
  }
}

function parsed(value: Value | null): ExactValue | undefined {
  if (typeof value !== 'string') return undefined
  try {
    return parseExact(value)
  } catch (error) {
    // It is no JSON, or nested too deeply: it has no fields then.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined
    throw error
  }
}

function step(value: ExactValue | undefined, name: string | number): ExactValue | undefined {
  if (typeof name === 'number') return Array.isArray(value) ? value.at(name) : undefined
  return isExactObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

function about(name: About, message: BusMessage, shown: Value | null): ExactValue | undefined {
  switch (name) {
    case 'key':
      return message.key
    case 'topic':
      return message.topic
    case 'value':
      return typeof shown === 'string' || shown === null ? shown : Buffer.from(shown).toString()
    case 'timestamp':
      return new NumberText(String(message.timestampMs))
    default:
      return new NumberText(String(message[name]))
  }
}

function compare(operator: Comparison, left: ExactValue | undefined, right: ExactValue | undefined): boolean {
  if (left === undefined || right === undefined) return false
  const order = orderOf(left, right)
  switch (operator) {
    case '==':
      return order === 0
    case '!=':
      return order !== 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}

/** Below, at or above 0; NaN where neither comes first. What reads as a number on both sides is compared as that, exactly, else text with text. */
function orderOf(left: ExactValue, right: ExactValue): number {
  const [leftText, rightText] = [scalarText(left), scalarText(right)]
  if (leftText === undefined || rightText === undefined) return left === right ? 0 : Number.NaN
  const [leftNumber, rightNumber] = [canonicalDecimal(leftText), canonicalDecimal(rightText)]
  if (leftNumber !== undefined && rightNumber !== undefined) return compareDecimals(leftNumber, rightNumber)
  return leftText < rightText ? -1 : Number(leftText > rightText)
}

function scalarText(value: ExactValue): string | undefined {
  if (value instanceof NumberText) return value.source
  return typeof value === 'string' ? value : undefined
}

/** What a pattern is held against. */
function textOf(value: ExactValue | undefined): string | undefined {
  if (value === undefined) return undefined
  return scalarText(value) ?? (typeof value === 'boolean' ? String(value) : undefined)
}

/** Of two canonical decimals, through whole numbers and never through a double. */
function compareDecimals(left: string, right: string): number {
  const scale = Math.max(fractionOf(left).length, fractionOf(right).length)
  const [a, b] = [scaled(left, scale), scaled(right, scale)]
  return a < b ? -1 : Number(a > b)
}

function fractionOf(decimal: string): string {
  const point = decimal.indexOf('.')
  return point < 0 ? '' : decimal.slice(point + 1)
}

function scaled(decimal: string, scale: number): bigint {
  const fraction = fractionOf(decimal)
  return BigInt(decimal.replace('.', '') + '0'.repeat(scale - fraction.length))
}
