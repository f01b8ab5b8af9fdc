import type {Clock} from '../core/context.ts'
import type {ComponentHealth, Health, HealthState} from '../core/health.ts'

export type {Health} from '../core/health.ts'

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
