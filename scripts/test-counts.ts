/** What vitest's json reporter writes, as far as we read it. */
export interface VitestResult {
  readonly testResults: readonly {readonly assertionResults: readonly {readonly status: string; readonly fullName: string}[]}[]
}

/** How the process of vitest ended. */
export interface Ending {
  readonly status: number | null
  readonly signal?: string | null
  readonly error?: Error | undefined
}

export interface Counts {
  readonly passed: number
  readonly failed: number
  /** Names of tests; a skipped one says why in its name. */
  readonly skipped: readonly string[]
  /** What failed outside the tests. */
  readonly trouble?: string
}

/**
 * Counts one run of vitest; `result` is null where it ended before it wrote one. A run that ended badly without a failed test (a file that
 * does not load, an unhandled error, a crash), or that passed no test at all, counts as one failure: it must not look green.
 */
export function countTests(result: VitestResult | null, {status, signal, error}: Ending): Counts {
  const tests = (result?.testResults ?? []).flatMap((file) => file.assertionResults)
  const passed = tests.filter((test) => test.status === 'passed').length
  const failed = tests.filter((test) => test.status === 'failed').length
  const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed').map((test) => test.fullName)
  if (failed > 0) return {passed, failed, skipped}
  if (status !== 0)
    return {passed, failed: 1, skipped, trouble: `failed outside its tests: ${error?.message ?? signal ?? `exit code ${status}`}`}
  if (passed === 0) return {passed, failed: 1, skipped, trouble: 'passed no test'}
  return {passed, failed, skipped}
}
