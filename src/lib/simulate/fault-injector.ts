import type {Logger} from '../core/context.ts'
import type {FaultState} from './fault-state.ts'
import type {Fault, GarbageKind, ScheduledFault} from './faults.ts'
import type {Listener} from './listener.ts'
import type {Counters} from './stats.ts'
import type {Exchange} from './upbit/exchange.ts'
import {garbageText} from './upbit/garbage.ts'
import type {Hub} from './upbit/hub.ts'

export interface FaultInjectorOptions {
  readonly exchange: Exchange
  readonly hub: Hub
  readonly listener: Listener
  readonly state: FaultState
  readonly counters: Counters
  readonly logger: Logger
  readonly nowMs: () => number
  /** Faults to bring about once the market moves. */
  readonly scheduled: readonly ScheduledFault[]
}

/** Brings faults about, at once or when their time comes, and ends those that last. */
export class FaultInjector {
  private readonly options: FaultInjectorOptions
  private readonly timers = new Set<NodeJS.Timeout>()
  private readonly lasting = new Map<string, number>()
  private waiting: ScheduledFault[]
  private ranMs = 0

  constructor(options: FaultInjectorOptions) {
    this.options = options
    this.waiting = [...options.scheduled]
  }

  schedule(scheduled: ScheduledFault): void {
    if (scheduled.atMs <= this.ranMs) this.inject(scheduled.fault)
    else this.waiting.push(scheduled)
  }

  /** Injects what has come due after the market moved for `ranMs`. */
  tick(ranMs: number): void {
    this.ranMs = ranMs
    if (this.waiting.length === 0) return
    const due = this.waiting.filter((scheduled) => scheduled.atMs <= ranMs)
    this.waiting = this.waiting.filter((scheduled) => scheduled.atMs > ranMs)
    for (const {fault} of due) this.inject(fault)
  }

  inject(fault: Fault): void {
    const {hub, listener, state, logger} = this.options
    logger.info({fault}, 'fault injected')
    switch (fault.kind) {
      case 'drop':
        hub.dropAll(fault.code)
        break
      case 'stall':
        this.during(fault, (stalled) => hub.setStalled(stalled))
        break
      case 'freeze':
        this.during(fault, (frozen) => hub.setFrozen(frozen))
        break
      case 'hang':
        this.during(fault, (hanging) => listener.setHanging(hanging))
        break
      case 'refuse':
        this.during(fault, (refusing) => this.setRefusing(refusing))
        break
      case 'skip':
        state.skip(fault.count)
        break
      case 'duplicate':
        state.duplicate(fault.count)
        break
      case 'garbage':
        this.sendGarbage(fault.what)
        break
      case 'error':
        hub.sendError(fault.name)
        break
      case 'rest':
        state.answerWith(fault.status, fault.count)
        break
      case 'slow':
        state.delayBy(fault.delayMs, fault.count)
        break
    }
  }

  /** Forgets what has not come due or ended. */
  close(): void {
    for (const timer of this.timers) clearTimeout(timer)
    this.timers.clear()
    this.waiting = []
  }

  /** Where two of a kind overlap, it lasts until the later one ends. */
  private during(fault: {readonly kind: string; readonly forMs: number}, set: (on: boolean) => void): void {
    const change = (by: 1 | -1): void => {
      const active = (this.lasting.get(fault.kind) ?? 0) + by
      this.lasting.set(fault.kind, active)
      if (active === (by === 1 ? 1 : 0)) set(by === 1)
    }
    change(1)
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      change(-1)
    }, fault.forMs)
    this.timers.add(timer)
  }

  private setRefusing(refusing: boolean): void {
    const {listener, logger} = this.options
    if (refusing) listener.refuse()
    else listener.accept().catch((error: unknown) => logger.error({err: error}, 'the simulator could not take its port again'))
  }

  private sendGarbage(kind: GarbageKind): void {
    const {exchange, hub, counters, nowMs} = this.options
    const code = exchange.states[0]?.market.code ?? ''
    counters.faults.garbage++
    hub.sendText((fullNames) => garbageText(kind, code, nowMs(), fullNames))
  }
}
