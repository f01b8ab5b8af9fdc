/**
 * The parts of `npm test`: each is a folder below test/ and a project of vitest. Unit and contract tests share the cores; the others open
 * sockets, files, processes and browsers, so their files run one by one.
 */
export const TEST_PARTS: Readonly<Record<string, {readonly parallel: boolean; readonly timeoutMs: number}>> = {
  unit: {parallel: true, timeoutMs: 10_000},
  contract: {parallel: true, timeoutMs: 30_000},
  integration: {parallel: false, timeoutMs: 60_000},
  e2e: {parallel: false, timeoutMs: 120_000},
  browser: {parallel: false, timeoutMs: 120_000},
}
