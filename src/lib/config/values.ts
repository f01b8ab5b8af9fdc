/** The kinds of text that settings hold, each with the phrase that errors and docs use for what is allowed. */

import {isIPv6} from 'node:net'
import {z} from 'zod'
import {formatDuration, parseBytes, parseDuration} from '../core/duration.ts'
import {InvalidInputError} from '../core/errors.ts'
import {keyspaceProblem} from '../core/keyspace.ts'
import {SECRET_FORMS, Secret} from './secrets.ts'

const SPELLING = /^[A-Z0-9]{1,20}-[A-Z0-9]{1,10}(?:-PERP|-\d{8})?$/
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/
const HOST = /^[A-Za-z0-9.-]+$/
const HOST_PORT = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):([0-9]{1,5})$/

const DURATION = 'a duration such as 250ms, 5s or 24h'
const SIZE = 'a size such as 64MiB'

/** Text that `test` accepts; `allowed` says in words which that is. */
function text(allowed: string, test: (value: string) => boolean) {
  return z.string({error: allowed}).refine(test, {error: allowed})
}

/** Milliseconds. */
export const duration = () => parsed(DURATION, parseDuration)

/** Milliseconds; null where the text is `forever`. */
export const durationOrForever = () => parsed(`${DURATION}, or forever`, (value) => (value === 'forever' ? null : parseDuration(value)))

/** A duration that is a whole number of `unit`, from `least` to `most`, all in milliseconds. Null where the text is `forever`, if that is allowed. */
export function durationOf(unit: number, least: number, most: number) {
  return parsed(wholeUnits(unit, least, most), (value) => checkedUnits(value, unit, least, most))
}

export function durationOfOrForever(unit: number, least: number, most: number) {
  const read = (value: string) => (value === 'forever' ? null : checkedUnits(value, unit, least, most))
  return parsed(`${wholeUnits(unit, least, most)}, or forever`, read)
}

function wholeUnits(unit: number, least: number, most: number): string {
  return `a duration from ${formatDuration(least)} to ${formatDuration(most)} in whole ${unit === 1000 ? 'seconds' : 'minutes'}`
}

function checkedUnits(text: string, unit: number, least: number, most: number): number {
  const ms = parseDuration(text)
  if (ms % unit === 0 && ms >= least && ms <= most) return ms
  throw new InvalidInputError(wholeUnits(unit, least, most))
}

/** Bytes. */
export const size = () => parsed(SIZE, parseBytes)

/** Bytes; null where the text is `unlimited`. */
export const sizeOrUnlimited = () => parsed(`${SIZE}, or unlimited`, (value) => (value === 'unlimited' ? null : parseBytes(value)))

export const name = () => text('a name of letters, digits, - and _', (value) => NAME.test(value))

/** Every market of the exchange, in place of symbols. */
export const ALL = 'all'

export const SYMBOL = 'a symbol such as BTC-KRW'

export const symbol = () => text(SYMBOL, isSymbol)

export const symbolOrAll = () => text(SYMBOL, (value) => value === ALL || isSymbol(value))

/** The symbol that `text` spells in lower case or in Upbit's order, if it does. */
export function suggestSymbol(value: string): string | undefined {
  const [, quote, base] = /^(KRW)-([A-Z0-9]+)$/.exec(value.toUpperCase()) ?? []
  const spelled = quote === undefined ? value.toUpperCase() : `${base}-${quote}`
  return spelled !== value && SPELLING.test(spelled) ? spelled : undefined
}

/** Any text but none. */
export const nonEmpty = (allowed: string) => text(allowed, (value) => value !== '')

/** A whole number of `min` to `max`. */
export function whole(min: number, max: number) {
  const allowed = `a whole number from ${min} to ${max}`
  return z.int({error: allowed}).min(min, {error: allowed}).max(max, {error: allowed})
}

export const hostPort = () => text('host:port, for example 192.168.0.2:9092', isHostPort)

/** A name or address, with a port or without. */
export const host = () =>
  text('a host name or address, with :port or without', (value) => HOST.test(value) || isIPv6(value) || isHostPort(value))

/** What Cassandra takes without quotes. */
export const keyspaceName = () =>
  text(
    'a name of lower-case letters, digits and _, 48 at most, that starts with a letter, and is no word of CQL and no keyspace of Cassandra itself',
    (value) => keyspaceProblem(value) === undefined,
  )

/** A URL of one of the schemes. */
export function url(schemes: readonly string[], example: string) {
  return text(`a ${schemes.join(' or ')} URL such as ${example}`, (value) => {
    const parsedUrl = URL.parse(value)
    return parsedUrl !== null && schemes.includes(parsedUrl.protocol.slice(0, -1))
  })
}

/** A secret: by now the text that a variable or file stood for. */
export const secret = () =>
  z
    .string({error: SECRET_FORMS})
    .min(1, {error: SECRET_FORMS})
    .transform((value) => new Secret(value))

export const SECRET_META = {secret: true} as const

/** Nothing is priced in coins per won: `KRW-BTC` is Upbit's own order. */
function isSymbol(value: string): boolean {
  return SPELLING.test(value) && !value.startsWith('KRW-')
}

function isHostPort(value: string): boolean {
  const [, port] = HOST_PORT.exec(value) ?? []
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535
}

function parsed<T>(allowed: string, parse: (value: string) => T) {
  return z.string({error: allowed}).transform((value, context): T => {
    try {
      return parse(value)
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      context.addIssue({code: 'custom', message: allowed, input: value})
      return z.NEVER
    }
  })
}
