import {createHash} from 'node:crypto'
import {once} from 'node:events'
import {chmod, mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {dirname, join} from 'node:path'
import {describe, expect, it, onTestFinished} from 'vitest'
import {JAR_LOCKS, jarPath} from '../../../src/lib/cluster/jars/lock.ts'
import {renderPom} from '../../../src/lib/cluster/jars/maven.ts'
import {repositoryOfSettings} from '../../../src/lib/cluster/jars/settings.ts'
import {ensureLocked, type JarOptions} from '../../../src/lib/cluster/jars.ts'
import {testContext} from '../../helpers/context.ts'
import {tempDir} from '../../helpers/temp-dir.ts'

const FILES: Readonly<Record<string, string>> = {
  'org.example:one:1.0': 'first jar',
  'org.example.deep:two_2.13:4.3.1': 'second jar',
  'io.example:native:2.0:linux-x86_64': 'third jar',
}
const LOCK = {roots: [], jars: Object.fromEntries(Object.entries(FILES).map(([jar, text]) => [jar, sha256(text)]))}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** A repository with the three jars, of which some may be changed or missing. Counts what it was asked for. */
async function repository(changed: Readonly<Record<string, string | null>> = {}) {
  const asked: string[] = []
  const files = new Map(Object.entries({...FILES, ...changed}).map(([jar, text]) => [`/maven/${jarPath(jar)}`, text]))
  const server = createServer(({url = ''}, response) => {
    asked.push(url)
    const text = files.get(url)
    response.writeHead(typeof text === 'string' ? 200 : 404).end(text)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
  })
  return {base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/maven`, asked}
}

async function options(values: Partial<JarOptions>): Promise<JarOptions> {
  const folder = await tempDir()
  return {cacheDir: join(folder, 'jars'), maven: null, settingsFile: join(folder, 'no-settings.xml'), ...values}
}

async function texts(paths: readonly string[]): Promise<string[]> {
  return await Promise.all(paths.map((path) => readFile(path, 'utf8')))
}

describe('jars', () => {
  it('come from a repository once, and then from the cache', async () => {
    const {base, asked} = await repository()
    const given = await options({repository: `${base}/`})
    const paths = await ensureLocked(LOCK, given, testContext())
    expect(await texts(paths)).toEqual(Object.values(FILES))
    await ensureLocked(LOCK, given, testContext())
    expect(asked).toHaveLength(3)
    expect((await readdir(given.cacheDir)).sort()).toEqual(['io', 'org'])
  })

  it('come through Maven where it is there', async () => {
    const folder = await tempDir()
    const maven = join(folder, 'mvn')
    // Stands in for Maven: puts one jar where the arguments say.
    await writeFile(
      maven,
      '#!/bin/sh\nfor a in "$@"; do case $a in -DoutputDirectory=*) out=$(echo "$a" | cut -d= -f2);; esac; done\nmkdir -p "$out/org/example/one/1.0"\nprintf "first jar" > "$out/org/example/one/1.0/one-1.0.jar"\n',
    )
    await chmod(maven, 0o755)
    const lock = {roots: [], jars: {'org.example:one:1.0': sha256('first jar')}}
    expect(await texts(await ensureLocked(lock, await options({maven}), testContext()))).toEqual(['first jar'])
  })

  it('says what Maven said when it fails', async () => {
    const maven = join(await tempDir(), 'mvn')
    await writeFile(maven, '#!/bin/sh\necho "no such repository"; exit 1\n')
    await chmod(maven, 0o755)
    await expect(ensureLocked(LOCK, await options({maven}), testContext())).rejects.toMatchObject({
      code: 'COINPIPE_CLUSTER_JAR_FETCH',
      message: expect.stringContaining('Maven ended with 1: no such repository'),
    })
  })

  it('that are not what the list says are refused, and the good ones are kept for the next try', async () => {
    const {base} = await repository({'io.example:native:2.0:linux-x86_64': 'somebody else'})
    const given = await options({repository: base})
    await expect(ensureLocked(LOCK, given, testContext())).rejects.toMatchObject({
      code: 'COINPIPE_CLUSTER_JAR_CHECKSUM',
      message: expect.stringContaining(sha256('somebody else')),
    })
    expect(await readdir(given.cacheDir)).toEqual(['org'])
  })

  it('that were changed in the cache are refused, with the way out', async () => {
    const given = await options({repository: 'http://127.0.0.1:1'})
    const file = join(given.cacheDir, jarPath('org.example:one:1.0'))
    await mkdir(dirname(file), {recursive: true})
    await writeFile(file, 'first ja')
    await expect(ensureLocked(LOCK, given, testContext())).rejects.toMatchObject({
      code: 'COINPIPE_CLUSTER_JAR_CHECKSUM',
      remedy: [expect.stringContaining(`rm '${file}'`)],
    })
  })

  it('that the repository does not have are named', async () => {
    const {base} = await repository({'org.example:one:1.0': null})
    await expect(ensureLocked(LOCK, await options({repository: base}), testContext())).rejects.toMatchObject({
      code: 'COINPIPE_CLUSTER_JAR_FETCH',
      message: `cannot fetch '${base}/org/example/one/1.0/one-1.0.jar': answered 404`,
      exitCode: 4,
    })
  })

  it('cannot come from a repository that does not answer', async () => {
    await expect(ensureLocked(LOCK, await options({repository: 'http://127.0.0.1:1'}), testContext())).rejects.toMatchObject({
      code: 'COINPIPE_CLUSTER_JAR_FETCH',
    })
  })

  it('cannot come from what is no address', async () => {
    await expect(ensureLocked(LOCK, await options({repository: 'maven'}), testContext())).rejects.toMatchObject({exitCode: 2})
  })

  it('cannot be kept where there is a file', async () => {
    const file = join(await tempDir(), 'file')
    await writeFile(file, '')
    await expect(ensureLocked(LOCK, await options({cacheDir: join(file, 'jars')}), testContext())).rejects.toMatchObject({
      code: 'COINPIPE_CLUSTER_JAR_CACHE',
      remedy: expect.arrayContaining([expect.stringContaining('--cache-dir')]),
    })
  })

  it('cannot come from nowhere', async () => {
    await expect(ensureLocked(LOCK, await options({}), testContext())).rejects.toMatchObject({
      code: 'COINPIPE_CLUSTER_NO_JAR_SOURCE',
      exitCode: 2,
      message: expect.stringMatching(/^3 jars/),
    })
  })

  it('come from the mirror that the settings of Maven name', async () => {
    const {base} = await repository()
    const given = await options({})
    const settingsFile = join(await tempDir(), 'settings.xml')
    await writeFile(
      settingsFile,
      `<settings><!-- <mirror><mirrorOf>*</mirrorOf><url>http://old.example</url></mirror> --><mirrors>
      <mirror><id>a</id><mirrorOf>other</mirrorOf><url>http://other.example</url></mirror>
      <mirror><id>b</id><url>${base}</url><mirrorOf>central</mirrorOf></mirror></mirrors></settings>`,
    )
    expect(repositoryOfSettings(settingsFile)).toBe(base)
    expect(await ensureLocked(LOCK, {...given, settingsFile}, testContext())).toHaveLength(3)
  })

  it('stop being fetched when the run is stopped', async () => {
    const context = testContext()
    context.abort()
    await expect(ensureLocked(LOCK, await options({repository: 'http://127.0.0.1:1'}), context)).rejects.toMatchObject({name: 'AbortError'})
  })
})

describe('the lists of jars', () => {
  it.each(Object.entries(JAR_LOCKS))('%s names its roots and a checksum for each jar', (_, {roots, jars}) => {
    expect(Object.keys(jars)).toEqual(expect.arrayContaining([...roots]))
    expect(Object.values(jars).filter((sum) => !/^[0-9a-f]{64}$/.test(sum))).toEqual([])
    expect(new Set(Object.keys(jars).map(jarPath)).size).toBe(Object.keys(jars).length)
  })

  it('are asked of Maven one by one, so that it cannot choose other versions', () => {
    expect(renderPom(['io.example:native:2.0:linux-x86_64'], {transitive: false})).toContain(
      '<classifier>linux-x86_64</classifier><exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>',
    )
  })
})
