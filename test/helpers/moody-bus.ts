import {MemoryBus} from '../../src/lib/bus/memory/memory-bus.ts'
import {NotConnectedError} from '../../src/lib/core/errors.ts'
import type {OutgoingRecord, PublishResult} from '../../src/lib/core/ports/bus.ts'

export type Mood = 'well' | 'down' | 'stuck'

/** A whole bus that can be down (publish rejects, retryable) or stuck (publish answers only when it is well again). */
export class MoodyBus extends MemoryBus {
  #mood: Mood = 'well'
  #waiting: (() => void)[] = []
  attempts = 0

  set mood(mood: Mood) {
    this.#mood = mood
    if (mood === 'stuck') return
    for (const go of this.#waiting.splice(0)) go()
  }

  override async publish(records: readonly OutgoingRecord[]): Promise<readonly PublishResult[]> {
    this.attempts += 1
    if (this.#mood === 'stuck') await new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (this.#mood === 'down') throw new NotConnectedError('the bus is down', {retry: {kind: 'later', afterMs: 1}})
    return super.publish(records)
  }
}
