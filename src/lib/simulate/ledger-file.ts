import {closeSync, openSync, writeSync} from 'node:fs'
import {LedgerError} from './errors.ts'

/** First line of a ledger file; the columns of the lines after it. */
export const LEDGER_HEADER = '#coinpipe-ledger 1\tnumber\tmarket\tsequential_id\ttrade_timestamp\tprice\tvolume\task_bid'

const FLUSH_CHARS = 64 * 1024

/**
 * Every trade as one line, tab-separated, in the order of sending. Written in the same turn in which the trades are sent, so that the file never
 * lags behind by more than the 64 KiB that are collected to save calls; `flush` writes these out.
 */
export class LedgerFile {
  private readonly path: string
  private readonly fd: number
  private pending = `${LEDGER_HEADER}\n`
  private closed = false

  constructor(path: string) {
    this.path = path
    this.fd = this.guarded(() => openSync(path, 'w'))
  }

  add(line: string): void {
    this.pending += `${line}\n`
    if (this.pending.length >= FLUSH_CHARS) this.flush()
  }

  flush(): void {
    if (this.pending === '') return
    const bytes = Buffer.from(this.pending, 'latin1')
    this.pending = ''
    this.guarded(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at)
    })
  }

  close(): void {
    if (this.closed) return
    this.flush()
    this.closed = true
    closeSync(this.fd)
  }

  private guarded<T>(operation: () => T): T {
    try {
      return operation()
    } catch (error) {
      throw error instanceof Error ? new LedgerError(this.path, error) : error
    }
  }
}
