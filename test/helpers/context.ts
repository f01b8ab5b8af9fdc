import {systemClock} from '../../src/lib/core/clock.ts'
import type {Context} from '../../src/lib/core/context.ts'
import {createLogger} from '../../src/lib/observability/logger.ts'
import {createMetrics, type MetricsRegistry} from '../../src/lib/observability/metrics.ts'

export interface TestContext extends Context {
  readonly metrics: MetricsRegistry
  abort(): void
}

/** The real clock, real metrics and a logger that is silent unless COINPIPE_TEST_LOG names a level. */
export function testContext(): TestContext {
  const controller = new AbortController()
  const level = process.env.COINPIPE_TEST_LOG === undefined ? 'silent' : 'debug'
  return {
    logger: createLogger({level, format: 'json'}),
    metrics: createMetrics({processMetrics: false}),
    clock: systemClock,
    random: Math.random,
    signal: controller.signal,
    abort: () => controller.abort(),
  }
}
