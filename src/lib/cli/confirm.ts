import {once} from 'node:events'
import {createInterface} from 'node:readline/promises'
import {AbortedError} from '../core/errors.ts'
import {NotConfirmedError} from './errors.ts'

type Input = NodeJS.ReadableStream & {readonly isTTY?: boolean}
type Output = NodeJS.WritableStream & {readonly isTTY?: boolean}

export interface ConfirmOptions {
  /** The `--yes` of `yesFlag`: nobody is asked. */
  readonly yes: boolean
  readonly signal: AbortSignal
  /** `process` but in tests. */
  readonly terminal?: {readonly stdin: Input; readonly stderr: Output}
}

/**
 * Asks before something is taken away; `question` says what, for example `Delete topic 'x' with its 12 records?`. Resolves where the answer is yes.
 * Rejects with NotConfirmedError where there is no terminal to ask on, and with AbortedError for any other answer, the end of the input, or a stop.
 */
export async function confirm(question: string, {yes, signal, terminal = process}: ConfirmOptions): Promise<void> {
  if (yes) return
  const {stdin, stderr} = terminal
  if (!stdin.isTTY || !stderr.isTTY) throw new NotConfirmedError(question)
  const lines = createInterface({input: stdin, output: stderr})
  const ended = once(lines, 'close').then(() => '')
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `, {signal}), ended])
    if (!/^\s*y(es)?\s*$/i.test(answer)) throw new AbortedError('nothing was changed')
  } catch (cause) {
    if (cause instanceof AbortedError) throw cause
    throw new AbortedError('nothing was changed', {cause})
  } finally {
    lines.close()
  }
}
