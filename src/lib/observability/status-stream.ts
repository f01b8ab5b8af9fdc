/** The part of a terminal stream (`process.stderr`) that logs and progress need. */
export interface TerminalStream {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly fd?: number
  write(text: string): unknown
}

/**
 * A stream with one line at the bottom that can be rewritten. Logger and progress of a process share it, so that a log line
 * never lands in the middle of the progress line. On anything but a terminal the status is not shown at all.
 */
export interface StatusStream extends TerminalStream {
  readonly isTTY: boolean
  /** Shows `text` (cut to the terminal's width) below everything written; an empty text takes the line away. */
  setStatus(text: string): void
}

const CLEAR_LINE = '\r\u001b[K'
const DEFAULT_COLUMNS = 80

export function createStatusStream(stream: TerminalStream): StatusStream {
  const isTTY = stream.isTTY === true
  let status = ''
  // A terminal that does not know its width says 0.
  const columns = () => stream.columns || DEFAULT_COLUMNS
  return {
    isTTY,
    ...(stream.fd === undefined ? {} : {fd: stream.fd}),
    get columns() {
      return columns()
    },
    write(text) {
      return stream.write(status === '' ? text : CLEAR_LINE + text + (text.endsWith('\n') ? status : ''))
    },
    setStatus(text) {
      if (!isTTY) return
      const next = cutTo(text, columns() - 1)
      if (next === status) return
      status = next
      stream.write(CLEAR_LINE + status)
    },
  }
}

/** A line that wraps could not be cleared again. */
function cutTo(text: string, width: number): string {
  const oneLine = text.replaceAll(/[\r\n]+/g, ' ')
  return oneLine.length > width ? `${oneLine.slice(0, Math.max(0, width - 1))}…` : oneLine
}
