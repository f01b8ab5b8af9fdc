import {chmod, copyFile, mkdir, readFile, utimes, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {type Ended, REPOSITORY, start} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'

const LOCK = {
  packages: {
    '': {},
    'node_modules/x': {version: '1.0.0'},
    'node_modules/x-other-platform': {version: '1.0.0', optional: true},
  },
}
const INSTALLED = {packages: {'node_modules/x': {version: '1.0.0'}}}

/** Stands in for npm: writes down how it was called, and leaves what `npm ci` leaves that setup looks at. */
const FAKE_NPM = `#!/bin/sh
echo "$@" >> npm-calls
mkdir -p node_modules/.bin
ln -sf '${process.execPath}' node_modules/.bin/node
cp next-installed.json node_modules/.package-lock.json
`

class Clone {
  readonly root: string

  constructor(root: string) {
    this.root = root
  }

  async write(path: string, content: string): Promise<void> {
    await mkdir(dirname(join(this.root, path)), {recursive: true})
    await writeFile(join(this.root, path), content)
  }

  async setUp(): Promise<Ended> {
    const env = {PATH: `${join(this.root, 'fake-bin')}:${process.env.PATH}`}
    return await start(process.execPath, [join(this.root, 'scripts/setup.mjs')], {cwd: this.root, env}).ended
  }

  async calls(name: 'npm-calls' | 'build-calls'): Promise<string[]> {
    return (await readFile(join(this.root, name), 'utf8')).trim().split('\n')
  }
}

async function freshClone(): Promise<Clone> {
  const clone = new Clone(await tempDir())
  await clone.write('package-lock.json', JSON.stringify(LOCK))
  await clone.write('next-installed.json', JSON.stringify(INSTALLED))
  await clone.write('src/main.ts', '')
  await clone.write('bin/.keep', '')
  await clone.write(
    'scripts/build.ts',
    "import {appendFileSync, mkdirSync, writeFileSync} from 'node:fs'\nmkdirSync('dist', {recursive: true})\nwriteFileSync('dist/coinpipe.mjs', '')\nappendFileSync('build-calls', 'built\\n')\n",
  )
  for (const path of ['scripts/setup.mjs', 'bin/bundle-state.js']) await copyFile(join(REPOSITORY, path), join(clone.root, path))
  await clone.write('package.json', '{"type": "module"}')
  await clone.write('fake-bin/npm', FAKE_NPM)
  await chmod(join(clone.root, 'fake-bin/npm'), 0o755)
  return clone
}

describe('setup', () => {
  it('installs and builds a fresh clone, and does neither again', async () => {
    const clone = await freshClone()
    expect(await clone.setUp()).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/installing dependencies[\s\S]*building/),
    })
    expect(await clone.setUp()).toEqual({code: 0, stdout: '', stderr: ''})
    expect(await clone.calls('npm-calls')).toEqual(['ci --loglevel=error'])
    expect(await clone.calls('build-calls')).toEqual(['built'])
  })

  it('installs again where the lockfile asks for another version', async () => {
    const clone = await freshClone()
    await clone.setUp()
    await clone.write('package-lock.json', JSON.stringify({packages: {...LOCK.packages, 'node_modules/x': {version: '2.0.0'}}}))
    expect(await clone.setUp()).toMatchObject({code: 0, stderr: expect.stringContaining('node_modules/x is not as in package-lock.json')})
    expect(await clone.calls('npm-calls')).toHaveLength(2)
  })

  it('builds again where a source is newer than the bundle', async () => {
    const clone = await freshClone()
    await clone.setUp()
    const later = new Date(Date.now() + 10_000)
    await utimes(join(clone.root, 'src/main.ts'), later, later)
    expect(await clone.setUp()).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('the bundle is older than the sources (src/main.ts)'),
    })
    expect(await clone.calls('build-calls')).toEqual(['built', 'built'])
  })

  it('says what failed', async () => {
    const clone = await freshClone()
    await clone.write('fake-bin/npm', '#!/bin/sh\nexit 7\n')
    expect(await clone.setUp()).toMatchObject({code: 4, stderr: expect.stringContaining('npm ci --loglevel=error ended with exit code 7')})
  })
})
