import {defineConfig} from 'vitest/config'
import {TEST_PARTS} from './scripts/test-parts.ts'

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: Object.entries(TEST_PARTS).map(([name, {folder = name, parallel, timeoutMs, setup}]) => ({
      test: {
        name,
        include: [`test/${folder}/**/*.test.ts`],
        fileParallelism: parallel,
        testTimeout: timeoutMs,
        hookTimeout: timeoutMs,
        pool: 'forks' as const,
        ...(setup === undefined ? {} : {globalSetup: [`test/${setup}`]}),
      },
    })),
  },
})
