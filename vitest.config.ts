import {defineConfig} from 'vitest/config'

/** One project per part of `npm test`. Unit tests share the cores; every other part opens sockets, files and processes, so its files run one by one. */
const part = (name: string, options: {parallel: boolean; timeoutMs: number; include?: string}) => ({
  test: {
    name,
    include: [options.include ?? `test/${name}/**/*.test.ts`],
    fileParallelism: options.parallel,
    testTimeout: options.timeoutMs,
    hookTimeout: options.timeoutMs,
    pool: 'forks' as const,
  },
})

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      part('unit', {parallel: true, timeoutMs: 10_000}),
      part('contract', {parallel: true, timeoutMs: 30_000}),
      part('integration', {parallel: false, timeoutMs: 60_000}),
      part('regression', {parallel: false, timeoutMs: 60_000}),
      part('e2e', {parallel: false, timeoutMs: 120_000}),
      part('browser', {parallel: false, timeoutMs: 120_000}),
    ],
  },
})
