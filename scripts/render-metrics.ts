import {COUNTERS, GAUGES, HISTOGRAMS, type MetricSpec} from '../src/lib/core/metric-names.ts'

/** docs/metrics.md. */
export function renderMetrics(): string {
  return [
    '# Metrics',
    '',
    'Served at `/metrics` in Prometheus text format: by `serve`, `up` and `demo` beside the page, by sinks, `ingest` and `aggregate candles` on `--metrics-port`. Generated from src/lib/core/metric-names.ts by `npm run docs`.',
    'Labels take their values from fixed sets, so the number of series is bounded.',
    ...section('Counters', COUNTERS),
    ...section('Gauges', GAUGES),
    ...section('Histograms', HISTOGRAMS),
    '',
  ].join('\n')
}

function section(title: string, metrics: Readonly<Record<string, MetricSpec>>): string[] {
  const rows = Object.entries(metrics).map(
    ([name, {help, labels}]) => `| \`${name}\` | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  )
  return ['', `## ${title}`, '', '| Name | Labels | Meaning |', '|---|---|---|', ...rows]
}
