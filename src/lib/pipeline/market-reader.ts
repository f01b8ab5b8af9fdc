import type {Context} from '../core/context.ts'
import type {MarketReader} from '../core/ports/market-reader.ts'
import {openMarketReader} from '../store/embedded/reader.ts'
import {dataPaths} from './paths.ts'

/** Opens the store below `dataDir` read-only for as long as `use` runs. */
export async function withMarketReader<T>(dataDir: string, context: Context, use: (reader: MarketReader) => Promise<T>): Promise<T> {
  const reader = openMarketReader({path: dataPaths(dataDir).store}, context)
  await reader.connect()
  try {
    return await use(reader)
  } finally {
    await reader.close()
  }
}
