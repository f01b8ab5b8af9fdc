import type {Context, Metrics} from '../core/context.ts'
import type {Health} from '../core/health.ts'
import type {MarketReader} from '../core/ports/market-reader.ts'
import {createApp, listen} from './app.ts'
import {FeedHub} from './feed-hub.ts'
import {Markets} from './markets.ts'
import type {MetricsText} from './operations.ts'
import {readPageFiles} from './page-files.ts'
import {addRoutes} from './routes.ts'
import {StoreGate} from './store-gate.ts'

export interface WebContext extends Context {
  readonly metrics: Metrics & MetricsText
  readonly health: Health
}

export interface WebServerOptions {
  readonly context: WebContext
  readonly reader: MarketReader
  /** Folder of the built page, ending in a slash. */
  readonly pageDirectory: URL
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Marks the page: the data comes from coinpipe's own simulator. */
  readonly simulated?: boolean
  /** False leaves `/metrics` away, for example where others than the operator reach the page. Default true. */
  readonly showMetrics?: boolean
  /** Time between two looks at the store per watched market. Default 200. */
  readonly pollMs?: number
  /** How long a market is followed on after the last browser left. Default 30,000. */
  readonly lingerMs?: number
  /** Time between two comments on a quiet event stream. Default 15,000. */
  readonly heartbeatMs?: number
  /** Longest wait for an answer of the store. Default 5,000. */
  readonly storeDeadlineMs?: number
  /** Most browsers on the event stream at once. Default 500. */
  readonly maxLiveClients?: number
}

export interface WebServer {
  /** Where the page is, for people to open. */
  readonly url: string
  /** Ends every connection; a second call does nothing. */
  close(): Promise<void>
}

const DEFAULTS = {
  pollMs: 200,
  lingerMs: 30_000,
  heartbeatMs: 15_000,
  storeDeadlineMs: 5_000,
  maxLiveClients: 500,
  simulated: false,
  showMetrics: true,
}

/** Serves the page, its data, health and metrics. Rejects with CannotListenError where the address can't be had. */
export async function startServer(options: WebServerOptions): Promise<WebServer> {
  const {context, host, port, reader, simulated, showMetrics, storeDeadlineMs, ...live} = {...DEFAULTS, ...options}
  const {metrics, health, clock} = context
  const page = await readPageFiles(options.pageDirectory)
  const logger = context.logger.child({component: 'web'})
  const store = new StoreGate({reader, clock, health, logger, deadlineMs: storeDeadlineMs})
  const hub = new FeedHub({...live, store, logger, clock, clientsGauge: metrics.gauge('coinpipe_sse_clients')})
  const app = createApp(metrics, logger)
  addRoutes(app, {store, hub, metrics, showMetrics, health, page, simulated, markets: new Markets(store, clock)})
  const url = await listen(app, {host, port}).catch(async (error: unknown) => {
    await hub.close()
    throw error
  })
  return {
    url,
    async close() {
      hub.endClients()
      await app.close()
      await hub.close()
    },
  }
}
