import {createHash} from 'node:crypto'
import {createReadStream} from 'node:fs'
import {mkdir, mkdtemp, rename, rm} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import type {Context} from '../core/context.ts'
import {InvalidInputError} from '../core/errors.ts'
import {JarCacheError, JarChecksumError, JarFetchError, NoJarSourceError} from './jars/errors.ts'
import {fetchByHttp} from './jars/http.ts'
import {JAR_LOCKS, type JarLock, type JarSet, jarPath} from './jars/lock.ts'
import {fetchByMaven, findMaven} from './jars/maven.ts'
import {mavenSettingsFile, repositoryOfSettings} from './jars/settings.ts'

const MAVEN_TIMEOUT_MS = 600_000

export interface JarOptions {
  /** Folder that keeps the jars, in the layout of a Maven repository; shared by all sets. */
  readonly cacheDir: string
  /** Base address of a Maven repository. Where given, jars come from it by HTTP and Maven is not asked. */
  readonly repository?: string | undefined
  /** Maven's program; null where there is none. Default: mvn of the PATH. */
  readonly maven?: string | null | undefined
  /** Default: Maven's own settings of this user. */
  readonly settingsFile?: string | undefined
}

/**
 * The class path of a server: every jar of its lock list, fetched where it is not in the cache yet. Every jar is checked against the list, at every call.
 * Rejects with NoJarSourceError, JarFetchError or JarChecksumError; jars already fetched stay for the next try.
 */
export async function ensureJars(set: JarSet, options: JarOptions, context: Pick<Context, 'logger' | 'signal'>): Promise<string[]> {
  return await ensureLocked(JAR_LOCKS[set], options, context)
}

/** {@link ensureJars} for any lock list. */
export async function ensureLocked(lock: JarLock, options: JarOptions, context: Pick<Context, 'logger' | 'signal'>): Promise<string[]> {
  const {cacheDir} = options
  const missing = await findMissing(lock, cacheDir)
  if (missing.length > 0) {
    const folder = await workFolder(cacheDir)
    try {
      await fetchInto(folder, missing, options, context)
      for (const jar of missing) await keep(lock, jar, folder, cacheDir)
    } finally {
      await rm(folder, {recursive: true, force: true})
    }
  }
  return Object.keys(lock.jars).map((jar) => join(cacheDir, jarPath(jar)))
}

/** Jars that the cache lacks; one that is there and wrong is an error. */
async function findMissing(lock: JarLock, cacheDir: string): Promise<string[]> {
  const missing: string[] = []
  for (const jar of Object.keys(lock.jars)) {
    const file = join(cacheDir, jarPath(jar))
    const seen = await sha256(file)
    if (seen === null) missing.push(jar)
    else verify(lock, jar, file, seen, `remove it, and it is fetched again: rm '${file}'`)
  }
  return missing
}

async function workFolder(cacheDir: string): Promise<string> {
  try {
    await mkdir(cacheDir, {recursive: true})
    return await mkdtemp(join(cacheDir, '.fetching-'))
  } catch (cause) {
    throw new JarCacheError(cacheDir, cause as Error)
  }
}

async function fetchInto(
  folder: string,
  jars: readonly string[],
  options: JarOptions,
  context: Pick<Context, 'logger' | 'signal'>,
): Promise<void> {
  const {cacheDir, repository, maven = findMaven(process.env.PATH ?? ''), settingsFile = mavenSettingsFile()} = options
  const {signal} = context
  if (repository === undefined && maven !== null) {
    context.logger.info({jars: jars.length, from: 'Maven', to: cacheDir}, 'fetching jars')
    return await fetchByMaven(maven, jars, folder, {signal, timeoutMs: MAVEN_TIMEOUT_MS})
  }
  const base = repository ?? repositoryOfSettings(settingsFile)
  if (base === null) throw new NoJarSourceError(jars.length, cacheDir)
  if (!URL.canParse(base)) {
    throw new InvalidInputError(`'${base}' is not the address of a repository`, {
      remedy: ['give one with http:// or https:// in front, with --repository'],
    })
  }
  context.logger.info({jars: jars.length, from: new URL(base).host, to: cacheDir}, 'fetching jars')
  await fetchByHttp(base, jars, folder, signal)
}

/** Moves a fetched jar into the cache, once it is known to be the right one. */
async function keep(lock: JarLock, jar: string, folder: string, cacheDir: string): Promise<void> {
  const fetched = join(folder, jarPath(jar))
  const seen = await sha256(fetched)
  if (seen === null) throw new JarFetchError(`'${jar}'`, 'it was not among what was fetched')
  verify(lock, jar, jarPath(jar), seen, 'fetch it from another repository, with --repository')
  const target = join(cacheDir, jarPath(jar))
  await mkdir(dirname(target), {recursive: true})
  await rename(fetched, target)
}

function verify(lock: JarLock, jar: string, file: string, seen: string, remedy: string): void {
  const wanted = lock.jars[jar] ?? ''
  if (seen !== wanted) throw new JarChecksumError(file, seen, wanted, remedy)
}

/** Null where there is no such file. */
async function sha256(file: string): Promise<string | null> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(file), hash)
    return hash.digest('hex')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}
