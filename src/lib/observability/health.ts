import type {Clock} from '../core/context.ts'

/** `degraded` still does its work (for example while it spills to disk); `down` does not. */
export type HealthState = 'starting' | 'up' | 'degraded' | 'down'

export interface ComponentHealth {
  readonly state: HealthState
  /** What is wrong, or what it waits for. */
  readonly message?: string
  /** When this state began, integer microseconds since the epoch. */
  readonly since: number
}

export interface HealthReport {
  /** The worst state of all components. */
  readonly state: HealthState
  readonly components: Readonly<Record<string, ComponentHealth>>
}

/** Where components say how they are, for `/healthz` and `/readyz`. */
export interface Health {
  set(component: string, state: HealthState, message?: string): void
  report(): HealthReport
}

const WORST_FIRST: readonly HealthState[] = ['down', 'starting', 'degraded', 'up']

export function createHealth(clock: Clock): Health {
  const components = new Map<string, ComponentHealth>()
  return {
    set(component, state, message) {
      const before = components.get(component)
      const since = before?.state === state ? before.since : clock.nowUs()
      components.set(component, {state, since, ...(message === undefined ? {} : {message})})
    },
    report() {
      const states = new Set([...components.values()].map((component) => component.state))
      const state = WORST_FIRST.find((candidate) => states.has(candidate)) ?? 'up'
      return {state, components: Object.fromEntries(components)}
    },
  }
}
