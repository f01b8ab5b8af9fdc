/**
 * `npm test`: every part, or those that are named. Each part is one run of vitest, and the last line is always ours:
 * `N passed, N failed, N skipped`.
 */

import {spawnSync} from 'node:child_process'
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type Counts, countTests} from './test-counts.ts'
import {TEST_PARTS} from './test-parts.ts'

const ROOT = join(import.meta.dirname, '..')
const PART_TIMEOUT_MS = 15 * 60_000

const named = process.argv.slice(2)
const unknown = named.filter((part) => !Object.hasOwn(TEST_PARTS, part))
const total = {passed: 0, failed: unknown.length, skipped: [] as string[]}
if (unknown.length > 0) {
  process.stderr.write(`Error: there is no part '${unknown.join("', '")}'\n  parts: ${Object.keys(TEST_PARTS).join(', ')}\n`)
} else {
  for (const part of named.length > 0 ? named : Object.keys(TEST_PARTS)) {
    const counts = runPart(part)
    if (counts.trouble) process.stdout.write(`\nThe part '${part}' ${counts.trouble}\n`)
    total.passed += counts.passed
    total.failed += counts.failed
    total.skipped.push(...counts.skipped.map((name) => `${part}: ${name}`))
  }
}
if (total.skipped.length > 0) process.stdout.write(`\nSkipped, with the reason:\n${total.skipped.map((name) => `  ${name}\n`).join('')}`)
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped\n`)
process.exitCode = total.failed > 0 ? 1 : 0

function runPart(part: string): Counts {
  const folder = mkdtempSync(join(tmpdir(), 'coinpipe-test-'))
  try {
    const output = join(folder, 'result.json')
    const args = ['run', '--project', part, '--reporter=default', '--reporter=json', `--outputFile.json=${output}`]
    const ending = spawnSync(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args], {
      cwd: ROOT,
      stdio: 'inherit',
      timeout: PART_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    })
    return countTests(existsSync(output) ? JSON.parse(readFileSync(output, 'utf8')) : null, ending)
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}
