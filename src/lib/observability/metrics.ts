import {collectDefaultMetrics, Counter as PromCounter, Gauge as PromGauge, Histogram as PromHistogram, Registry} from 'prom-client'
import type {Counter, Gauge, Histogram, Labels, Metrics} from '../core/context.ts'
import {COUNTERS, type CounterName, GAUGES, type GaugeName, HISTOGRAMS, type HistogramName, type MetricSpec} from '../core/metric-names.ts'
import {MetricMisuseError} from './errors.ts'
import {LabelSets} from './label-sets.ts'

/** From a SQLite commit (0.1 ms) to a broker that is being replaced (10 s). */
const SECONDS_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export interface MetricsRegistry extends Metrics {
  /** Everything in Prometheus text format, for `/metrics`. */
  text(): Promise<string>
  /** Content type of {@link text}. */
  readonly contentType: string
  /** Sum of a counter or gauge over the label sets that have all of `labels`; 0 where nothing was counted yet. */
  total(name: CounterName | GaugeName, labels?: Labels): number
}

export interface MetricsOptions {
  /** Also export the process's CPU, memory, event loop and GC figures. Default true. */
  readonly processMetrics?: boolean
}

interface Cell {
  value: number
}

/**
 * Counters and gauges are plain numbers that Prometheus reads only when it scrapes, so adding to one in a hot loop costs a map look-up.
 * Keep the labels object in a constant: the same object is found by identity.
 */
export function createMetrics(options: MetricsOptions = {}): MetricsRegistry {
  const registry = new Registry()
  if (options.processMetrics ?? true) collectDefaultMetrics({register: registry})
  const numbers = new Map<string, LabelSets<Cell>>()
  const counters = new Map<CounterName, Counter>()
  const gauges = new Map<GaugeName, Gauge>()
  const histograms = new Map<HistogramName, Histogram>()

  const cells = (name: string, spec: MetricSpec): LabelSets<Cell> => {
    const sets = new LabelSets<Cell>(name, spec.labels, () => ({value: 0}))
    numbers.set(name, sets)
    return sets
  }
  return {
    counter: (name) => memo(counters, name, () => makeCounter(registry, name, cells(name, COUNTERS[name]))),
    gauge: (name) => memo(gauges, name, () => makeGauge(registry, name, cells(name, GAUGES[name]))),
    histogram: (name) => memo(histograms, name, () => makeHistogram(registry, name)),
    text: () => registry.metrics(),
    contentType: registry.contentType,
    total: (name, labels = {}) => sum(numbers.get(name), labels),
  }
}

function makeCounter(registry: Registry, name: CounterName, cells: LabelSets<Cell>): Counter {
  const {help, labels: labelNames} = COUNTERS[name]
  const collect = function (this: PromCounter) {
    this.reset()
    for (const [labels, cell] of cells) this.inc(labels, cell.value)
  }
  new PromCounter({name, help, labelNames, registers: [registry], collect})
  return {
    add(amount, labels) {
      if (!(amount >= 0)) throw new MetricMisuseError(`counter ${name} can only rise, but ${amount} was added`)
      cells.get(labels).value += amount
    },
  }
}

function makeGauge(registry: Registry, name: GaugeName, cells: LabelSets<Cell>): Gauge {
  const {help, labels: labelNames} = GAUGES[name]
  const collect = function (this: PromGauge) {
    this.reset()
    for (const [labels, cell] of cells) this.set(labels, cell.value)
  }
  new PromGauge({name, help, labelNames, registers: [registry], collect})
  return {
    set(value, labels) {
      cells.get(labels).value = value
    },
  }
}

function makeHistogram(registry: Registry, name: HistogramName): Histogram {
  const {help, labels: labelNames} = HISTOGRAMS[name]
  const histogram = new PromHistogram({name, help, labelNames, buckets: SECONDS_BUCKETS, registers: [registry]})
  const children = new LabelSets(name, labelNames, (labels) => histogram.labels(labels))
  return {observe: (value, labels) => children.get(labels).observe(value)}
}

function sum(cells: LabelSets<Cell> | undefined, wanted: Labels): number {
  let total = 0
  for (const [labels, cell] of cells ?? []) {
    if (Object.entries(wanted).every(([name, value]) => labels[name] === value)) total += cell.value
  }
  return total
}

function memo<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
