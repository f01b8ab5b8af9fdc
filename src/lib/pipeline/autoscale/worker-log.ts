import type {Logger} from '../../core/context.ts'

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const

/** Fields that our own logger writes itself. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['level', 'time', 'pid', 'msg'])

/** Writes a line that a worker logged to our own log, at its level; what is no JSON object of a logger comes through as it is. */
export function relayLine(line: string, logger: Logger): void {
  const entry = entryOf(line)
  const level = LEVELS.find((level) => level === entry?.level)
  if (entry === undefined || level === undefined) {
    logger.warn({text: line}, 'a worker wrote')
    return
  }
  const fields = Object.fromEntries(Object.entries(entry).filter(([name]) => !OWN_FIELDS.has(name)))
  logger[level](fields, String(entry.msg ?? ''))
}

function entryOf(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? {...value} : undefined
  } catch {
    return undefined
  }
}
