import {statSync} from 'node:fs'
import type {DatabaseSync} from 'node:sqlite'
import type {Context} from '../../core/context.ts'
import {NotConnectedError} from '../../core/errors.ts'
import type {CandlesQuery, MarketId, MarketReader, TradesPage, TradesQuery, VolumeRow} from '../../core/ports/market-reader.ts'
import type {Book, Candle, Ticker} from '../../core/records.ts'
import {storeError} from './errors.ts'
import {StoreQueries} from './queries.ts'
import {VolumeScan} from './read-volume.ts'
import {openForReading} from './schema.ts'

export interface MarketReaderOptions {
  /** The store's file; it must be there. */
  readonly path: string
  /** How long to wait while the file is being recovered after a crash; default 1 s. */
  readonly busyTimeoutMs?: number
}

/** Answers from the embedded store, read-only. Each answer is one short read: the writer never waits for it. */
export function openMarketReader(options: MarketReaderOptions, context: Context): MarketReader {
  return new EmbeddedMarketReader(options, context)
}

interface Opened {
  readonly database: DatabaseSync
  readonly queries: StoreQueries
  /** Which file it is, whatever its name points to later. */
  readonly inode: number | undefined
}

function inodeOf(path: string): number | undefined {
  return statSync(path, {throwIfNoEntry: false})?.ino
}

class EmbeddedMarketReader implements MarketReader {
  private readonly options: MarketReaderOptions
  private readonly context: Context
  private opened: Opened | undefined

  constructor(options: MarketReaderOptions, context: Context) {
    this.options = options
    this.context = context
  }

  async connect(): Promise<void> {
    if (this.opened) return
    const {path, busyTimeoutMs = 1000} = this.options
    try {
      const database = openForReading(path, busyTimeoutMs)
      this.opened = {database, queries: new StoreQueries(database), inode: inodeOf(path)}
    } catch (error) {
      throw storeError(path, error)
    }
  }

  /** Also rejects where the file was removed or replaced: the open one would answer on for ever, with nothing new. */
  async check(): Promise<void> {
    this.read(({queries}) => queries.markets())
    const {path} = this.options
    if (this.opened?.inode !== inodeOf(path)) throw new NotConnectedError(`the store ${path} was removed or replaced`)
  }

  async close(): Promise<void> {
    this.opened?.database.close()
    this.opened = undefined
  }

  async markets(): Promise<readonly MarketId[]> {
    return this.read(({queries}) => queries.markets())
  }

  async trades(query: TradesQuery): Promise<TradesPage> {
    return this.read(({queries}) => queries.trades(query))
  }

  async book(market: MarketId): Promise<Book | null> {
    return this.read(({queries}) => queries.latest<Book>(market, 'book'))
  }

  async ticker(market: MarketId): Promise<Ticker | null> {
    return this.read(({queries}) => queries.latest<Ticker>(market, 'ticker'))
  }

  async candles(query: CandlesQuery): Promise<readonly Candle[]> {
    return this.read(({queries}) => queries.candles(query))
  }

  /** Read in steps, so that other work of this thread goes on in between. */
  async volume(query: {readonly exchange?: string; readonly from: number; readonly to: number}): Promise<readonly VolumeRow[]> {
    const scan = this.read(({database}) => new VolumeScan(database, query))
    while (this.read(() => scan.step())) await this.context.clock.sleep(0)
    return scan.rows()
  }

  private read<T>(answer: (opened: Opened) => T): T {
    if (!this.opened) throw new NotConnectedError(`the store ${this.options.path} is not open`)
    try {
      return answer(this.opened)
    } catch (error) {
      throw storeError(this.options.path, error)
    }
  }
}
