import type {Context, Metrics} from '../core/context.ts'
import type {Health} from '../core/health.ts'
import {createApp, listen} from './app.ts'
import {addOperations, type MetricsText} from './operations.ts'

export interface MetricsServerOptions {
  readonly context: Context & {readonly metrics: Metrics & MetricsText; readonly health: Health}
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
}

export interface MetricsServer {
  /** Where `/metrics`, `/healthz` and `/readyz` are. */
  readonly url: string
  /** Ends every connection; a second call does nothing. */
  close(): Promise<void>
}

/** Serves metrics and health of a process without a page. Rejects with CannotListenError where the address can't be had. */
export async function startMetricsServer({context, host, port}: MetricsServerOptions): Promise<MetricsServer> {
  const {metrics, health} = context
  const app = createApp(metrics, context.logger.child({component: 'web'}))
  addOperations(app, {health, metrics, showMetrics: true})
  const url = await listen(app, {host, port, flagPrefix: 'metrics-'})
  return {url, close: () => app.close()}
}
