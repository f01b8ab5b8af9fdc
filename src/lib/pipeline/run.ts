import type {MetricsRegistry} from '../observability/metrics.ts'
import {createProgress} from '../observability/progress.ts'
import type {StatusStream} from '../observability/status-stream.ts'
import {progressOf} from './run-progress.ts'
import {runStages, type Stage} from './stages.ts'
import type {SystemContext} from './system.ts'

export interface RunContext extends SystemContext {
  readonly metrics: MetricsRegistry
  readonly status: StatusStream
  /** Ends the run as the first Ctrl-C does. */
  stop(reason: string): void
}

/** Records by component: taken in, handed on, left out as seen before, set aside. */
export type RunSummary = Readonly<Record<string, ComponentSummary>>

export interface ComponentSummary {
  readonly received: number
  readonly sent: number
  readonly duplicates: number
  readonly deadLetters: number
  /** Handed on with acks=0: whether the bus has them nobody knows, so they are not among `sent`. */
  readonly unacknowledged?: number
  /** Not written because nothing was left of their time to live. */
  readonly expired?: number
  /** What its group had worked off when it caught up for the first time. */
  readonly caughtUp?: {readonly records: number; readonly seconds: number; readonly perSecond: number}
}

const COUNT_POLL_MS = 50

/** Runs stages until the context's signal aborts, or the last of them has handed on `count` records; shows progress on a terminal. */
export async function runToEnd(stages: readonly Stage[], count: number | undefined, context: RunContext): Promise<RunSummary> {
  const {metrics, status, clock, signal, stop} = context
  const components = [...new Set(stages.flatMap(({component}) => (component === undefined ? [] : [component])))]
  const last = components.at(-1) ?? ''
  const stopAtCount = () => {
    if (count !== undefined && handedOn(last, metrics) >= count) stop(`${count} records`)
  }
  const progress = createProgress({stream: status, clock, read: () => progressOf(stages, (component) => handedOn(component, metrics))})
  const counting = setInterval(stopAtCount, COUNT_POLL_MS)
  try {
    await runStages(stages, signal, context)
  } finally {
    clearInterval(counting)
    progress.stop()
  }
  return Object.fromEntries(
    components.map((component) => [component, {...summarize(component, metrics), ...caughtUpOf(component, stages)}]),
  )
}

function caughtUpOf(component: string, stages: readonly Stage[]): Pick<ComponentSummary, 'caughtUp'> {
  const after = stages.find((stage) => stage.component === component)?.lag?.caughtUp
  if (!after) return {}
  const {records, seconds} = after
  return {caughtUp: {records, seconds, perSecond: Math.round(records / Math.max(seconds, 0.001))}}
}

function handedOn(component: string, metrics: MetricsRegistry): number {
  return metrics.total('coinpipe_component_sent_total', {component}) + metrics.total('coinpipe_component_unacknowledged_total', {component})
}

function summarize(component: string, metrics: MetricsRegistry): ComponentSummary {
  const expired = metrics.total('coinpipe_rows_expired_total', {component})
  const unacknowledged = metrics.total('coinpipe_component_unacknowledged_total', {component})
  return {
    received: metrics.total('coinpipe_component_received_total', {component}),
    sent: metrics.total('coinpipe_component_sent_total', {component}),
    duplicates: metrics.total('coinpipe_duplicates_total', {component}),
    deadLetters: metrics.total('coinpipe_dead_letters_total', {component}),
    ...(unacknowledged > 0 ? {unacknowledged} : {}),
    ...(expired > 0 ? {expired} : {}),
  }
}

/** The summary as people read it. */
export function describeRun(summary: RunSummary): string[] {
  return Object.entries(summary).map(([component, {received, sent, unacknowledged, duplicates, deadLetters, expired, caughtUp}]) => {
    const extra = [
      ...(unacknowledged === undefined ? [] : [`${unacknowledged} out without an acknowledgement`]),
      ...(duplicates > 0 ? [`${duplicates} seen before`] : []),
      ...(deadLetters > 0 ? [`${deadLetters} set aside`] : []),
      ...(expired === undefined ? [] : [`${expired} of them expired and not written`]),
      ...(caughtUp === undefined ? [] : [`caught up after ${caughtUp.seconds.toFixed(1)} s, ${caughtUp.perSecond}/s`]),
    ]
    return `${component}: ${received} records in, ${sent} out${extra.map((text) => `, ${text}`).join('')}`
  })
}
