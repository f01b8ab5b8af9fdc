import {existsSync} from 'node:fs'
import type {MarketReader} from '../core/ports/market-reader.ts'
import {openMarketReader} from '../store/embedded/reader.ts'
import {builtPageDirectory} from '../web/page-files.ts'
import {startServer, type WebContext} from '../web/server.ts'
import type {DataPaths} from './paths.ts'

export interface ServeOptions {
  /** Of the store, which may come later, or go and come back: the page says so and goes on; and of the mark of simulated data. */
  readonly paths: Pick<DataPaths, 'store' | 'simulatedMark'>
  /** What the page reads in place of that store. */
  readonly reader?: MarketReader | undefined
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** False leaves `/metrics` away. */
  readonly showMetrics?: boolean
  /** The page's address, as soon as it is served. */
  readonly onListening?: ((url: string) => void) | undefined
}

/** Serves the live page until `signal` aborts. */
export async function servePage({paths, onListening, ...options}: ServeOptions, context: WebContext, signal: AbortSignal): Promise<void> {
  const reader = options.reader ?? openMarketReader({path: paths.store}, context)
  try {
    const server = await startServer({
      ...options,
      simulated: existsSync(paths.simulatedMark),
      context,
      reader,
      pageDirectory: builtPageDirectory(),
    })
    context.logger.info({url: server.url}, 'live page')
    onListening?.(server.url)
    await aborted(signal)
    await server.close()
  } finally {
    await reader.close()
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), {once: true})))
}
