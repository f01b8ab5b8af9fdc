import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {start} from '../helpers/run-cli.ts'

const EXAMPLES = join(import.meta.dirname, '../../examples')
const folders = readdirSync(EXAMPLES, {withFileTypes: true}).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))

/** What stands for something that differs from run to run. */
const WILDCARDS: Readonly<Record<string, string>> = {'<n>': '\\d+', '<any>': '.*'}

/** The expected text as a pattern. */
function pattern(expected: string): RegExp {
  const parts = expected.split(/(<n>|<any>)/).map((part) => WILDCARDS[part] ?? part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('')}$`)
}

describe.each(folders)('examples/%s', (folder) => {
  it('prints what it says', async () => {
    const expected = readFileSync(join(EXAMPLES, folder, 'expected.txt'), 'utf8')
    const {code, stdout, stderr} = await start(join(EXAMPLES, folder, 'run.sh'), []).ended
    expect(stdout).toMatch(pattern(expected))
    expect(code, stderr).toBe(0)
  })

  it('has a README and is listed', () => {
    expect(existsSync(join(EXAMPLES, folder, 'README.md'))).toBe(true)
    expect(readFileSync(join(EXAMPLES, 'README.md'), 'utf8')).toContain(`(${folder}/)`)
  })
})
