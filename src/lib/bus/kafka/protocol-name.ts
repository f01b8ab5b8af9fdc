import {protocolErrorOf} from './errors.ts'

/** The protocol's name of a translated error; null for one that no broker named. */
export function protocolName(error: unknown): string | null {
  return error instanceof Error ? protocolErrorOf(error.cause) : null
}

/** The answer in which the error was. */
export function answerOf<Response>(error: unknown): Response | null {
  const cause = error instanceof Error ? (error.cause as {readonly response?: Response} | undefined) : undefined
  return cause?.response ?? null
}
