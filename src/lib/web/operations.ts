import type {FastifyInstance, FastifyReply} from 'fastify'
import type {Metrics} from '../core/context.ts'
import type {Health} from '../core/health.ts'

/** What `/metrics` prints. */
export interface MetricsText {
  text(): Promise<string>
  readonly contentType: string
}

export interface OperationsOptions {
  readonly health: Health
  readonly metrics: Metrics & MetricsText
  /** False leaves `/metrics` away. */
  readonly showMetrics: boolean
  /** Looks at something whose health nobody else keeps; never rejects. */
  readonly probe?: () => Promise<void>
}

/** `/healthz`: 503 while something is down. `/readyz`: 503 also before everything has started. `/metrics`, for Prometheus. */
export function addOperations(app: FastifyInstance, {health, metrics, showMetrics, probe}: OperationsOptions): void {
  const report = (isFine: (state: string) => boolean) => async (_request: unknown, reply: FastifyReply) => {
    await probe?.()
    const answer = health.report()
    return reply.code(isFine(answer.state) ? 200 : 503).send(answer)
  }
  app.get(
    '/healthz',
    report((state) => state !== 'down'),
  )
  app.get(
    '/readyz',
    report((state) => state === 'up' || state === 'degraded'),
  )
  if (showMetrics) app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()))
}
