import {openMarketReader} from '../store/embedded/reader.ts'
import {builtPageDirectory} from '../web/page-files.ts'
import {startServer, type WebContext} from '../web/server.ts'

export interface ServeOptions {
  /** The store's file. It may come later, or go and come back: the page says so and goes on. */
  readonly store: string
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Marks the page. */
  readonly simulated?: boolean
  /** False leaves `/metrics` away. */
  readonly showMetrics?: boolean
  /** The page's address, as soon as it is served. */
  readonly onListening?: ((url: string) => void) | undefined
}

/** Serves the live page until `signal` aborts. */
export async function servePage({store, onListening, ...options}: ServeOptions, context: WebContext, signal: AbortSignal): Promise<void> {
  const reader = openMarketReader({path: store}, context)
  try {
    const server = await startServer({...options, context, reader, pageDirectory: builtPageDirectory()})
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
