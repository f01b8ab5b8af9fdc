import type {ErrorClass} from './error-classes.ts'

const HEAD = `# Errors and exit codes

Generated from the error classes below src/ by \`npm run docs\`.

An error is printed on stderr: what failed, on what and what was seen, its code in brackets, and indented below what to type next. With \`--json\` it is
one line on stdout instead: \`{"error":{"code":"…","message":"…","remedy":["…"]}}\`. Codes are stable; messages may change. A stack is shown only for a
bug. In logs the field \`code\` holds the same code.

## Exit codes

| Code | Meaning |
|---|---|
| 0 | Fine. An endless command that was asked to stop and drained ends with it too. |
| 1 | Checked and found wrong, or part of a batch failed and the rest was kept. |
| 2 | Wrong use: an unknown command or flag, a value or a file that cannot be used as given. |
| 3 | The verdict is unknown. |
| 4 | Something outside coinpipe is unavailable: an exchange, a disk, a server, a lock. |
| 5 | A bounded job was stopped early; it says how to resume. |
| 70 | A bug in coinpipe. |
| 130 | Interrupted: by a second signal, by the drain deadline, or a bounded job that cannot be resumed. |

## Codes

The exit code is the usual one of a command that fails by this error; most errors are retried, set aside or counted long before that.
`

/** docs/errors.md. */
export function renderErrors(classes: readonly ErrorClass[]): string {
  const rows = classes
    .toSorted((a, b) => (a.code < b.code ? -1 : 1))
    .map(({code, exitCode, meaning}) => `| \`${code}\` | ${exitCode} | ${meaning.replaceAll('|', '\\|')} |`)
  return [HEAD, '| Code | Exit | Meaning |', '|---|---|---|', ...rows, ''].join('\n')
}
