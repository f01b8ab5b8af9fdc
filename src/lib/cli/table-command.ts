import {ConfigCommand} from './config-command.ts'
import {type Column, formatTable} from './table.ts'

/** Base of the commands that answer with rows: a table for people, the typed answer for `--json`. */
export abstract class TableCommand extends ConfigCommand {
  /** Prints rows as a table, unless `--json` prints the answer. Where `ifNone` is given and there are no rows, it is said on stderr instead. */
  protected async print<T>(rows: readonly T[], columns: readonly Column<T>[], ifNone?: string): Promise<void> {
    if (this.jsonEnabled()) return
    if (rows.length === 0 && ifNone !== undefined) return this.logToStderr(ifNone)
    for (const line of formatTable(rows, columns)) await this.write(`${line}\n`)
  }
}
