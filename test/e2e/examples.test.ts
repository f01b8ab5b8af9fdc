import {execFile} from 'node:child_process'
import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {describe, expect, it} from 'vitest'

const EXAMPLES = join(import.meta.dirname, '../../examples')
const folders = readdirSync(EXAMPLES, {withFileTypes: true}).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))

/** The expected text as a pattern: `<n>` is a number that differs from run to run. */
function pattern(expected: string): RegExp {
  const parts = expected.split('<n>').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('\\d+')}$`)
}

/** What the example prints, without the settings of whoever runs the tests. */
async function run(folder: string): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('COINPIPE_')))
  const {stdout} = await promisify(execFile)(join(EXAMPLES, folder, 'run.sh'), {env, timeout: 100_000})
  return stdout
}

describe.each(folders)('examples/%s', (folder) => {
  it('prints what it says', async () => {
    const expected = readFileSync(join(EXAMPLES, folder, 'expected.txt'), 'utf8')
    expect(await run(folder)).toMatch(pattern(expected))
  })

  it('has a README and is listed', () => {
    expect(existsSync(join(EXAMPLES, folder, 'README.md'))).toBe(true)
    expect(readFileSync(join(EXAMPLES, 'README.md'), 'utf8')).toContain(`(${folder}/)`)
  })
})
