import {createHash} from 'node:crypto'
import {chmod, mkdir, readdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterEach, describe, expect, it, vi} from 'vitest'
import {ensureClassArchive, findClassArchive} from '../../../../src/lib/cluster/cassandra/class-archive.ts'
import {AbortedError} from '../../../../src/lib/core/errors.ts'
import {takeLock} from '../../../../src/lib/core/lock.ts'
import {testContext} from '../../../helpers/context.ts'
import {tempDir} from '../../../helpers/temp-dir.ts'
import {until} from '../../../helpers/until.ts'

/** A Java that says its version, and for anything else does this. */
async function java(script: string): Promise<{cacheDir: string; classPath: string[]}> {
  const home = await tempDir()
  await mkdir(join(home, 'bin'))
  const text = `#!/bin/sh\nif [ "$1" = -version ]; then echo 'openjdk version "17.0.1"' >&2; exit; fi\n${script}\n`
  await writeFile(join(home, 'bin', 'java'), text)
  await chmod(join(home, 'bin', 'java'), 0o755)
  vi.stubEnv('JAVA_HOME', home)
  const cacheDir = join(home, 'cache')
  return {cacheDir, classPath: [join(home, 'bin', 'java')]}
}

/** The lock that is held while the archive is made; archives begin with its name. */
async function lockOf(options: {cacheDir: string}): Promise<string> {
  return join(options.cacheDir, (await readdir(options.cacheDir)).find((name) => name.endsWith('.lock')) ?? '')
}

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('ensureClassArchive', () => {
  it('leaves nothing behind where the node to learn from ends, and fails nobody', async () => {
    const options = await java('echo no room; exit 3')
    const context = testContext()
    await ensureClassArchive(options, () => undefined, context)
    expect(await findClassArchive(options, context.signal)).toBeNull()
    expect((await readdir(options.cacheDir)).filter((name) => !name.includes('.lock'))).toEqual([])
  })

  it('is done where there is one, until a jar or Java is another one', async () => {
    const options = await java('exit 3')
    const context = testContext()
    await ensureClassArchive(options, () => undefined, context)
    const sum = createHash('sha256').update('classes').digest('hex').slice(0, 16)
    const path = (await lockOf(options)).replace(/\.lock$/, `-${sum}.jsa`)
    await writeFile(path, 'classes')
    const said: string[] = []
    await ensureClassArchive(options, (line) => said.push(line), context)
    expect(said).toEqual([])
    expect(await findClassArchive(options, context.signal)).toBe(path)
    await writeFile(path, 'class')
    expect(await findClassArchive(options, context.signal), 'a damaged one').toBeNull()
    await writeFile(path, 'classes')
    await writeFile(options.classPath[0] ?? '', '#!/bin/sh\necho \'openjdk version "21.0.1"\' >&2\n')
    expect(await findClassArchive(options, context.signal)).toBeNull()
  })

  it('leaves the work to another process that is at it', async () => {
    const options = await java('exit 3')
    const context = testContext()
    await ensureClassArchive(options, () => undefined, context)
    const release = await takeLock(await lockOf(options), 'a test')
    const said: string[] = []
    await ensureClassArchive(options, (line) => said.push(line), context)
    expect(said).toEqual([])
    await release()
  })

  it('ends the node with the run', async () => {
    const options = await java('exec sleep 60')
    const context = testContext()
    const making = ensureClassArchive(options, () => undefined, context).catch((error: unknown) => error)
    await until('it has begun', async () => {
      const names = await readdir(options.cacheDir).catch(() => [])
      const work = names.find((name) => name.startsWith('.archiving-'))
      return work !== undefined && (await readdir(join(options.cacheDir, work))).includes('node.log')
    })
    context.abort()
    expect(await making).toBeInstanceOf(AbortedError)
    expect((await readdir(options.cacheDir)).filter((name) => !name.includes('.lock'))).toEqual([])
  })
})
