import type {Micros} from '../../core/records.ts'

/** Exchanges count milliseconds: so many places are free before the next one. */
const PLACES = 1000

/**
 * Places of the states of one row that have one event time, in the order in which they came; a state that comes again keeps its own. Of two writes with
 * one timestamp Cassandra keeps the larger value of each column, which makes a state that never was.
 */
export class Ties {
  #time: Micros = -1
  readonly #ids: string[] = []

  /** 0 for the first, and where a later time is known: that one stays anyway. */
  place(time: Micros, id: string): number {
    if (time < this.#time) return 0
    if (time > this.#time) {
      this.#time = time
      this.#ids.length = 0
    }
    const known = this.#ids.indexOf(id)
    if (known >= 0) return known
    if (this.#ids.length < PLACES) this.#ids.push(id)
    return this.#ids.length - 1
  }
}
