/**
 * Every metric that coinpipe exports, in one place, so that `/metrics`, docs/metrics.md and the dashboards cannot drift apart.
 * Prometheus conventions: base units, `_total` on counters. `component` is a fixed kind (`upbit`, `embedded-bus`, `store`, `candles`…).
 */

export interface MetricSpec {
  readonly help: string
  readonly labels: readonly string[]
}

export const COUNTERS = {
  coinpipe_component_received_total: {help: 'Records taken in by a component.', labels: ['component']},
  coinpipe_component_sent_total: {help: 'Records handed on and acknowledged.', labels: ['component']},
  coinpipe_component_unacknowledged_total: {
    help: 'Records handed on without an acknowledgement, as none was asked for (acks=0).',
    labels: ['component'],
  },
  coinpipe_component_bytes_total: {help: 'Bytes of the records handed on.', labels: ['component']},
  coinpipe_component_errors_total: {help: 'Errors by stage and error code.', labels: ['component', 'stage', 'code']},
  coinpipe_component_dropped_total: {
    help: 'Records dropped; intentional=true where the user asked for it.',
    labels: ['component', 'intentional'],
  },
  coinpipe_dead_letters_total: {help: 'Records or frames set aside in a dead-letter topic.', labels: ['component', 'code']},
  coinpipe_sink_rows_total: {help: 'Rows acknowledged; by coinpipe_sink_batches_total, those of a request.', labels: ['component']},
  coinpipe_sink_batches_total: {help: 'Requests that wrote rows and were acknowledged.', labels: ['component']},
  coinpipe_rows_expired_total: {help: 'Rows not written because nothing was left of their time to live.', labels: ['component']},
  coinpipe_duplicates_total: {help: 'Records recognised by id as seen before and left out.', labels: ['component']},
  coinpipe_feed_frames_total: {help: 'Websocket frames received.', labels: ['exchange']},
  coinpipe_feed_reconnects_total: {help: 'Websocket connections opened again.', labels: ['exchange', 'reason']},
  coinpipe_feed_gaps_total: {help: 'Gaps by their last state.', labels: ['exchange', 'state']},
  coinpipe_backfill_requests_total: {help: 'REST requests of back-fill by HTTP status class.', labels: ['exchange', 'status']},
  coinpipe_backfill_trades_total: {help: 'Trades found by back-fill.', labels: ['exchange']},
  coinpipe_spill_records_total: {help: 'Records written to the spill on disk and read back.', labels: ['component', 'direction']},
  coinpipe_retries_total: {help: 'Attempts repeated after a retryable error.', labels: ['component', 'code']},
  coinpipe_rebalances_total: {help: 'Times a subscription was assigned other partitions.', labels: ['component']},
  coinpipe_retention_missed_total: {help: 'Records that retention removed before a subscription read them.', labels: ['component']},
  coinpipe_retention_deleted_total: {help: 'Records removed by retention.', labels: ['component']},
  coinpipe_candles_total: {help: 'Candle records published, by kind.', labels: ['kind']},
  coinpipe_http_requests_total: {help: 'HTTP requests served by status class.', labels: ['route', 'status']},
  coinpipe_worker_restarts_total: {help: 'Worker processes that ended by themselves and were started again.', labels: ['component']},
} as const satisfies Record<string, MetricSpec>

export const GAUGES = {
  coinpipe_component_lag_records: {help: 'Records between the end of the log and what is committed.', labels: ['component']},
  coinpipe_component_catch_up_seconds: {
    help: 'Estimated time until a component has worked off its lag; +Inf while it falls behind.',
    labels: ['component'],
  },
  coinpipe_sink_up: {help: 'Whether a sink can write: 0 while its store is away.', labels: ['component']},
  coinpipe_component_queue_records: {help: 'Records waiting inside a component.', labels: ['component']},
  coinpipe_component_queue_bytes: {help: 'Bytes waiting inside a component.', labels: ['component']},
  coinpipe_sink_requests: {help: 'Requests under way.', labels: ['component']},
  coinpipe_sink_requests_limit: {help: 'Requests allowed at once, by how the servers answer.', labels: ['component']},
  coinpipe_spill_bytes: {help: 'Bytes waiting in the spill on disk.', labels: ['component']},
  coinpipe_feed_connections: {help: 'Open websocket connections.', labels: ['exchange']},
  coinpipe_log_bytes: {help: 'Size of the embedded log file.', labels: []},
  coinpipe_sse_clients: {help: 'Browsers connected to the live page.', labels: []},
  coinpipe_workers_wanted: {help: 'Worker processes that there should be.', labels: ['component']},
  coinpipe_workers_running: {help: 'Worker processes that live, those that drain too.', labels: ['component']},
} as const satisfies Record<string, MetricSpec>

export const HISTOGRAMS = {
  coinpipe_publish_seconds: {help: 'From publish to acknowledgement.', labels: ['component']},
  coinpipe_sink_write_seconds: {help: 'One batch written and durable.', labels: ['component']},
  coinpipe_event_to_store_seconds: {help: 'From receiving a record to having it stored.', labels: ['component']},
} as const satisfies Record<string, MetricSpec>

export type CounterName = keyof typeof COUNTERS
export type GaugeName = keyof typeof GAUGES
export type HistogramName = keyof typeof HISTOGRAMS
