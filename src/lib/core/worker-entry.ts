/** Worker threads: each has one entry file in src/workers/, bundled to dist/<name>.mjs. */
export type WorkerName = 'bus-writer' | 'store-writer'

/** True inside the bundle (set by the build), false when Node runs the sources. */
declare const COINPIPE_BUNDLED: boolean | undefined

/** Where the worker's entry file is, for `new Worker(url)`. */
export function workerEntry(name: WorkerName): URL {
  const bundled = typeof COINPIPE_BUNDLED !== 'undefined' && COINPIPE_BUNDLED
  return bundled ? new URL(`./${name}.mjs`, import.meta.url) : new URL(`../../workers/${name}.ts`, import.meta.url)
}

/** A writer's objects die young, batch by batch: a small nursery costs it little time and saves tens of megabytes. */
export const WRITER_LIMITS = {maxYoungGenerationSizeMb: 12}
