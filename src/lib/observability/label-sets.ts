import type {Labels} from '../core/context.ts'
import {MetricMisuseError} from './errors.ts'

/** Beyond this a label is taking free text; what comes later is summed under `other`, so that memory and scrapes stay bounded. */
const MAX_LABEL_SETS = 500
const NO_LABELS: Labels = {}
const SEPARATOR = '\u0000'

/** One value per combination of label values. The label names must be exactly those of the metric's definition. */
export class LabelSets<V> {
  readonly #name: string
  readonly #labelNames: readonly string[]
  readonly #make: (labels: Labels) => V
  readonly #byValues = new Map<string, readonly [Labels, V]>()
  /** Callers keep their labels in a constant; finding that object again needs no string to be built. */
  readonly #byObject = new WeakMap<Labels, V>()

  constructor(name: string, labelNames: readonly string[], make: (labels: Labels) => V) {
    this.#name = name
    this.#labelNames = labelNames
    this.#make = make
  }

  get(labels: Labels = NO_LABELS): V {
    return this.#byObject.get(labels) ?? this.#find(labels)
  }

  *[Symbol.iterator](): IterableIterator<readonly [Labels, V]> {
    yield* this.#byValues.values()
  }

  #find(labels: Labels): V {
    this.#checkNames(labels)
    const full = this.#byValues.size >= MAX_LABEL_SETS && !this.#byValues.has(this.#key(labels))
    const stored = full ? Object.fromEntries(this.#labelNames.map((name) => [name, 'other'])) : {...labels}
    const key = this.#key(stored)
    const found = this.#byValues.get(key)?.[1] ?? this.#make(stored)
    if (!this.#byValues.has(key)) this.#byValues.set(key, [stored, found])
    this.#byObject.set(labels, found)
    return found
  }

  #key(labels: Labels): string {
    return this.#labelNames.map((name) => labels[name]).join(SEPARATOR)
  }

  #checkNames(labels: Labels): void {
    const given = Object.keys(labels)
    if (given.length === this.#labelNames.length && this.#labelNames.every((name) => name in labels)) return
    throw new MetricMisuseError(`metric ${this.#name} has labels {${this.#labelNames.join(', ')}}, but {${given.join(', ')}} was given`)
  }
}
