import type {Context} from '../../core/context.ts'
import {AbortedError, CoinpipeError, NotConnectedError} from '../../core/errors.ts'
import type {Position, TopicPartition} from '../../core/ports/bus.ts'
import type {Sink, SinkBatch, SinkResult} from '../../core/ports/sink.ts'
import type {StoreRetention} from './batch.ts'
import {encodeBatch} from './encode.ts'
import {WriterClient} from './writer-client.ts'

const SECOND_MS = 1000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** A day of trades; candles for as long as a chart of each interval looks back: about ten thousand of each. */
export const DEFAULT_RETENTION: StoreRetention = {
  tradesMs: DAY_MS,
  maxTrades: 20_000_000,
  candlesMs: {
    '1s': 3 * HOUR_MS,
    '1m': 7 * DAY_MS,
    '5m': 30 * DAY_MS,
    '15m': 90 * DAY_MS,
    '1h': 365 * DAY_MS,
    '4h': 4 * 365 * DAY_MS,
    '1d': 20 * 365 * DAY_MS,
  },
  gapsMs: 30 * DAY_MS,
}

export interface EmbeddedStoreOptions {
  /** The store's file; it and its folder are made where missing. */
  readonly path: string
  /** Default {@link DEFAULT_RETENTION}. */
  readonly retention?: Partial<StoreRetention>
  /** How often rows over age are looked for; default 10 s. */
  readonly retentionEveryMs?: number
  /** How long to wait for another process's lock; default 5 s. */
  readonly busyTimeoutMs?: number
}

/**
 * The embedded store as a sink: a SQLite file that keeps its group's offsets in the same transaction as its rows. Takes market records; refuses
 * others, book deltas, and values that DECIMAL(38,18) or a safe integer cannot hold.
 */
export function createEmbeddedStore(options: EmbeddedStoreOptions, context: Context): Sink {
  return new EmbeddedStore(options, context)
}

const COMPONENT = {component: 'store'}

class EmbeddedStore implements Sink {
  readonly keepsPositions = true
  private readonly options: EmbeddedStoreOptions
  private readonly context: Context
  private connected = false
  private client: WriterClient | undefined
  private opening: Promise<WriterClient> | undefined
  private stopping = new AbortController()
  private upkeep: Promise<void> = Promise.resolve()

  constructor(options: EmbeddedStoreOptions, context: Context) {
    this.options = options
    this.context = context
  }

  async connect(): Promise<void> {
    if (this.connected) return
    this.connected = true
    try {
      await this.writer()
    } catch (error) {
      this.connected = false
      throw error
    }
    this.stopping = new AbortController()
    this.upkeep = this.keepRetention(this.stopping.signal)
  }

  async check(): Promise<void> {
    const client = await this.writer()
    await client.call('check', undefined)
  }

  async write(batch: SinkBatch): Promise<SinkResult> {
    const client = await this.writer()
    const encoded = encodeBatch(batch)
    if (encoded.refused.length > 0) return {refused: encoded.refused, written: 0}
    const {trades, others} = await client.call('write', JSON.stringify(encoded.batch))
    const duplicates = encoded.batch.trades.length - trades
    if (duplicates > 0) this.context.metrics.counter('coinpipe_duplicates_total').add(duplicates, COMPONENT)
    return {refused: [], written: trades + others}
  }

  async positions(group: string, partitions: readonly TopicPartition[]): Promise<readonly Position[]> {
    const client = await this.writer()
    return client.call('positions', {group, partitions})
  }

  async close(): Promise<void> {
    if (!this.connected) return
    this.connected = false
    this.stopping.abort()
    await this.upkeep
    await this.opening?.catch(() => undefined) // Whoever asked for it has been told.
    await this.client?.close()
    this.client = undefined
  }

  /** The writer thread; a new one where the last has died, so that the caller's next try works. */
  private async writer(): Promise<WriterClient> {
    if (!this.connected) throw new NotConnectedError(`the store ${this.options.path} is not open`)
    if (this.client?.alive) return this.client
    this.opening ??= this.open()
    return this.opening
  }

  private async open(): Promise<WriterClient> {
    const {path, busyTimeoutMs = 5 * SECOND_MS, retention} = this.options
    try {
      this.client = await WriterClient.open({path, busyTimeoutMs, retention: {...DEFAULT_RETENTION, ...retention}})
      return this.client
    } finally {
      this.opening = undefined
    }
  }

  private async keepRetention(signal: AbortSignal): Promise<void> {
    const {clock, logger, metrics} = this.context
    const everyMs = this.options.retentionEveryMs ?? 10 * SECOND_MS
    while (!signal.aborted) {
      try {
        await clock.sleep(everyMs, signal)
        const deleted = await this.deleteOverAge(signal)
        if (deleted > 0) metrics.counter('coinpipe_retention_deleted_total').add(deleted, COMPONENT)
      } catch (error) {
        if (error instanceof AbortedError || signal.aborted) return
        if (!(error instanceof CoinpipeError)) throw error
        // The next round tries again; the sink's own writes report a trouble that lasts.
        logger.warn({...COMPONENT, code: error.code, reason: error.message}, 'retention was put off')
      }
    }
  }

  /** Chunk by chunk; batches that wait in the meantime are written between two chunks. */
  private async deleteOverAge(signal: AbortSignal): Promise<number> {
    const client = await this.writer()
    let deleted = 0
    for (let more = true; more && !signal.aborted; ) {
      const result = await client.call('retain', {nowMs: this.context.clock.nowUs() / 1000})
      deleted += result.deleted
      more = result.more
    }
    if (deleted > 0 && !signal.aborted) await client.call('shrink', undefined)
    return deleted
  }
}
