import type {RunContext} from './run.ts'

/** As the flags of the commands say it. */
export interface MetricsFlags {
  readonly 'metrics-host': string
  /** Without one nothing is served; 0 takes any free one. */
  readonly 'metrics-port'?: number | undefined
}

/** Runs with metrics and health served from before the start until the end, where a port is given. Rejects with CannotListenError where it is taken. */
export async function withMetrics<T>(flags: MetricsFlags, context: RunContext, run: () => Promise<T>): Promise<T> {
  const {'metrics-host': host, 'metrics-port': port} = flags
  if (port === undefined) return await run()
  // Loaded only now: most runs have no use for it.
  const {startMetricsServer} = await import('../web/metrics-server.ts')
  const server = await startMetricsServer({context, host, port})
  context.logger.info({url: `${server.url}metrics`}, 'metrics')
  try {
    return await run()
  } finally {
    await server.close()
  }
}
