/**
 * `npm test`: every part, or those that are named. Each part is one run of vitest, and the last line is always ours:
 * `N passed, N failed, N skipped`. A part that crashes, hangs or has no test counts as a failure.
 */

import {spawnSync} from 'node:child_process'
import {mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {TEST_PARTS} from './test-parts.mjs'

const ROOT = join(import.meta.dirname, '..')
const PART_TIMEOUT_MS = 15 * 60_000

const named = process.argv.slice(2)
const unknown = named.filter((part) => !(part in TEST_PARTS))
const total = {passed: 0, failed: 0, skipped: []}
if (unknown.length > 0) {
  process.stderr.write(`Error: there is no part '${unknown.join("', '")}'\n  parts: ${Object.keys(TEST_PARTS).join(', ')}\n`)
  total.failed = unknown.length
} else {
  for (const part of named.length > 0 ? named : Object.keys(TEST_PARTS)) {
    const counts = runPart(part)
    total.passed += counts.passed
    total.failed += counts.failed
    total.skipped.push(...counts.skipped)
  }
}
if (total.skipped.length > 0) process.stdout.write(`\nSkipped, with the reason:\n${total.skipped.map((name) => `  ${name}\n`).join('')}`)
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped\n`)
process.exitCode = total.failed > 0 ? 1 : 0

function runPart(part) {
  const folder = mkdtempSync(join(tmpdir(), 'coinpipe-test-'))
  try {
    const output = join(folder, 'result.json')
    const args = ['run', '--project', part, '--reporter=default', '--reporter=json', `--outputFile.json=${output}`]
    const vitest = spawnSync(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args], {
      cwd: ROOT,
      stdio: 'inherit',
      timeout: PART_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    })
    return count(part, readResult(output), vitest)
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}

function count(part, result, vitest) {
  const tests = (result?.testResults ?? []).flatMap((file) => file.assertionResults)
  const withStatus = (...statuses) => tests.filter((test) => statuses.includes(test.status))
  const counts = {
    passed: withStatus('passed').length,
    failed: withStatus('failed').length,
    skipped: withStatus('skipped', 'pending', 'todo', 'disabled').map((test) => `${part}: ${test.fullName}`),
  }
  // A file that does not load, an unhandled error, a crash: no test says so, the exit code does.
  if (vitest.status !== 0 && counts.failed === 0) {
    process.stdout.write(
      `\nThe part '${part}' failed outside its tests: ${vitest.error?.message ?? vitest.signal ?? `exit code ${vitest.status}`}\n`,
    )
    counts.failed = 1
  }
  if (vitest.status === 0 && counts.passed === 0) {
    process.stdout.write(`\nThe part '${part}' ran no test\n`)
    counts.failed = 1
  }
  return counts
}

/** Null where vitest ended before it wrote one. */
function readResult(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}
