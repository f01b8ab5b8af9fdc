type Given<T> = {[K in keyof T]?: Exclude<T[K], undefined>}

/** The values without those that are undefined, so that whoever gets them takes its own defaults. */
export function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>
}
