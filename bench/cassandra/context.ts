import type {Context} from '../../src/lib/core/context.ts'
import {createMetrics} from '../../src/lib/observability/metrics.ts'
import {benchContext} from '../kafka/bus.ts'

/** A context, and how many requests a sink with it has sent. */
export function countingContext(): {readonly context: Context; readonly batches: () => number} {
  const metrics = createMetrics({processMetrics: false})
  return {context: {...benchContext(), metrics}, batches: () => metrics.total('coinpipe_sink_batches_total')}
}
