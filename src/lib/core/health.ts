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
