import type {Config} from '../config/load.ts'
import type {Context} from '../core/context.ts'
import type {MarketReader} from '../core/ports/market-reader.ts'
import {openMarketReader} from '../store/embedded/reader.ts'
import {cassandraReader, cassandraSettings} from './cassandra.ts'
import {dataPaths} from './paths.ts'

export interface StoreChoice {
  readonly store: 'embedded' | 'cassandra'
  /** Sink of kind `cassandra` whose settings count; default: the only one. */
  readonly sink?: string | undefined
}

/** A reader of the store of the data folder, or of the tables in Cassandra; not connected yet. */
export async function marketReader(config: Config, {store, sink}: StoreChoice, context: Context): Promise<MarketReader> {
  if (store === 'cassandra') return cassandraReader(cassandraSettings(config, {sink}), context)
  return openMarketReader({path: dataPaths(config.dataDir).store}, context)
}

/** Opens the store read-only for as long as `use` runs. */
export async function withMarketReader<T>(
  config: Config,
  choice: StoreChoice,
  context: Context,
  use: (reader: MarketReader) => Promise<T>,
): Promise<T> {
  const reader = await marketReader(config, choice, context)
  await reader.connect()
  try {
    return await use(reader)
  } finally {
    await reader.close()
  }
}
