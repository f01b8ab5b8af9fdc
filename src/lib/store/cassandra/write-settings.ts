import type {BatchSettings} from './batcher.ts'
import type {WriteOptions} from './options.ts'

/**
 * Cassandra takes no offence at large batches of one partition: its batch_size thresholds are about batches of several. They only bound what one request
 * costs a node at once.
 */
const BATCH_BYTES = 128 * 1024
const CATCH_UP_BATCH_BYTES = 512 * 1024
/** Rows of one request while catching up, at least. */
const CATCH_UP_ROWS = 200
const CATCH_UP_LINGER_MS = 50

/** How requests are made: for latency, or for throughput while there is a lag to be worked off. */
export function batchSettings({batchRows, lingerMs, catchUp}: WriteOptions): BatchSettings {
  if (!catchUp) return {rows: batchRows, bytes: BATCH_BYTES, lingerMs, limit: {min: 2, max: 64, start: 16, targetMs: 50}}
  return {
    rows: Math.max(batchRows, CATCH_UP_ROWS),
    bytes: CATCH_UP_BATCH_BYTES,
    lingerMs: Math.max(lingerMs, CATCH_UP_LINGER_MS),
    limit: {min: 4, max: 128, start: 32, targetMs: 250},
  }
}
