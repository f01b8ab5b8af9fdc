import {parseDuration} from '../core/duration.ts'
import {InvalidInputError} from '../core/errors.ts'

export const GARBAGE_KINDS = ['malformed', 'unknown', 'missing', 'huge', 'nan', 'negative'] as const
export type GarbageKind = (typeof GARBAGE_KINDS)[number]

/** Something that goes wrong on purpose. */
export type Fault =
  /** Ends every websocket: without a code the TCP connection is cut, with one it is closed in good order. */
  | {readonly kind: 'drop'; readonly code: number | null}
  /** Websockets stay open and are pinged back, but nothing is sent or answered on them: what would have been is lost. */
  | {readonly kind: 'stall'; readonly forMs: number}
  /** Nothing leaves on websockets, as on a network that hangs; it goes out afterwards. */
  | {readonly kind: 'freeze'; readonly forMs: number}
  /** TCP connections are accepted and never answered. */
  | {readonly kind: 'hang'; readonly forMs: number}
  /** Nobody listens: new connections are refused. */
  | {readonly kind: 'refuse'; readonly forMs: number}
  /** The next `count` trades are not sent on any websocket; REST has them. */
  | {readonly kind: 'skip'; readonly count: number}
  /** The next `count` trades are sent twice. */
  | {readonly kind: 'duplicate'; readonly count: number}
  | {readonly kind: 'garbage'; readonly what: GarbageKind}
  /** An error frame of this name. */
  | {readonly kind: 'error'; readonly name: string}
  /** The next `count` REST requests are answered with this status. */
  | {readonly kind: 'rest'; readonly status: number; readonly count: number}
  /** The next `count` REST requests are answered `delayMs` late. */
  | {readonly kind: 'slow'; readonly delayMs: number; readonly count: number}

export interface ScheduledFault {
  readonly fault: Fault
  /** Milliseconds after the market started to move; 0 is at once. */
  readonly atMs: number
}

interface Form {
  readonly usage: string
  /** Null where the arguments don't fit. */
  parse(value: string, forText: string): Fault | null
}

const none = (text: string): boolean => text === ''

const FORMS: Readonly<Record<string, Form>> = {
  drop: {
    usage: 'drop or drop=1011',
    parse: (value, forText) =>
      none(forText) && (none(value) || isCloseCode(value)) ? {kind: 'drop', code: none(value) ? null : Number(value)} : null,
  },
  stall: {usage: 'stall:3s', parse: (value, forText) => timed('stall', value, forText)},
  freeze: {usage: 'freeze:3s', parse: (value, forText) => timed('freeze', value, forText)},
  hang: {usage: 'hang:3s', parse: (value, forText) => timed('hang', value, forText)},
  refuse: {usage: 'refuse:3s', parse: (value, forText) => timed('refuse', value, forText)},
  skip: {usage: 'skip=50', parse: (value, forText) => counted('skip', value, forText)},
  duplicate: {usage: 'duplicate=50', parse: (value, forText) => counted('duplicate', value, forText)},
  garbage: {
    usage: `garbage=${GARBAGE_KINDS.join('|')}`,
    parse: (value, forText) => {
      const what = GARBAGE_KINDS.find((kind) => kind === value)
      return what !== undefined && none(forText) ? {kind: 'garbage', what} : null
    },
  },
  error: {
    usage: 'error=INVALID_PARAM',
    parse: (value, forText) => (/^[A-Z_]+$/.test(value) && none(forText) ? {kind: 'error', name: value} : null),
  },
  rest: {
    usage: 'rest=429x10',
    parse: (value, forText) => {
      const [, status, count = '1'] = /^([45]\d\d)(?:x(\d{1,9}))?$/.exec(value) ?? []
      return status !== undefined && none(forText) ? {kind: 'rest', status: Number(status), count: Number(count)} : null
    },
  },
  slow: {
    usage: 'slow=500msx10',
    parse: (value, forText) => {
      const [, delay, count = '1'] = /^(\d+(?:\.\d+)?(?:ms|s|m))(?:x(\d{1,9}))?$/.exec(value) ?? []
      return delay !== undefined && none(forText) ? {kind: 'slow', delayMs: parseDuration(delay), count: Number(count)} : null
    },
  },
}

/**
 * Reads faults as the command line and `POST /sim/faults` write them: `NAME[=VALUE][@WHEN][:HOW-LONG]`, several with commas, for example
 * `drop@10s,stall@20s:3s,skip=50@5s,rest=429x10`. Rejects anything else with InvalidInputError.
 */
export function parseFaults(text: string): ScheduledFault[] {
  return text.split(',').map((part) => parseFault(part.trim()))
}

function parseFault(text: string): ScheduledFault {
  const [, name = '', value = '', at = '', forText = ''] = /^([a-z]+)(?:=([^@:]+))?(?:@([^@:]+))?(?::([^@:]+))?$/.exec(text) ?? []
  const form = Object.hasOwn(FORMS, name) ? FORMS[name] : undefined
  if (form === undefined) {
    throw new InvalidInputError(`'${text}' is not a fault`, {
      remedy: [`write one of: ${usages()}`, 'add @10s to have it happen 10 s after the start'],
    })
  }
  const fault = form.parse(value, forText)
  if (fault === null)
    throw new InvalidInputError(`fault '${text}' is not written right`, {
      remedy: [`write it as ${form.usage}, with @10s behind the name or value to delay it`],
    })
  return {fault, atMs: at === '' ? 0 : parseDuration(at)}
}

function usages(): string {
  return Object.values(FORMS)
    .map((form) => form.usage)
    .join(', ')
}

function isCloseCode(text: string): boolean {
  const code = Number(text)
  return (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999)
}

function timed(kind: 'stall' | 'freeze' | 'hang' | 'refuse', value: string, forText: string): Fault | null {
  return none(value) && !none(forText) ? {kind, forMs: parseDuration(forText)} : null
}

function counted(kind: 'skip' | 'duplicate', value: string, forText: string): Fault | null {
  return /^[1-9]\d{0,8}$/.test(value) && none(forText) ? {kind, count: Number(value)} : null
}
