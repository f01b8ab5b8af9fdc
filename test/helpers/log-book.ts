import type {Logger} from '../../src/lib/core/context.ts'

export interface LogEntry {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A logger that keeps what it is told. */
export function logBook(): {readonly logger: Logger; readonly entries: LogEntry[]} {
  const entries: LogEntry[] = []
  return {logger: bookWith({}, entries), entries}
}

function bookWith(bound: object, entries: LogEntry[]): Logger {
  const write = (level: string) => (fields: object, message: string) => {
    entries.push({level, message, fields: {...bound, ...fields}})
  }
  return {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => bookWith({...bound, ...fields}, entries),
  }
}
