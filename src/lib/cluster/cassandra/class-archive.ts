import {createHash} from 'node:crypto'
import {existsSync} from 'node:fs'
import {mkdir, mkdtemp, rename, rm, stat, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import type {Context} from '../../core/context.ts'
import {AlreadyRunningError, takeLock} from '../../core/lock.ts'
import {javaProgram, javaVersion} from '../jvm/java.ts'
import {javaArguments} from '../jvm/launch.ts'
import {cassandraFiles, cassandraFlags, cassandraMain} from './launch.ts'
import {tokensOf} from './tokens.ts'
import {trainNode} from './train-node.ts'

export interface ArchiveOptions {
  readonly cacheDir: string
  /** Jars of the nodes, in the order of their class path: an archive is for just these. */
  readonly classPath: readonly string[]
}

const HEAP_MB = 256

/**
 * The file of classes that nodes of this class path and this Java start from: it takes more than half of the time that a start needs. Null where there is none
 * (yet). Java looks closely at what an archive was made of, and starts without one that does not fit.
 */
export async function findClassArchive(options: ArchiveOptions, signal: AbortSignal): Promise<string | null> {
  const path = await pathOf(options, signal)
  return existsSync(path) ? path : null
}

/**
 * Makes that file where it is missing: a node of its own, on a folder and ports of its own, starts, serves a few requests, and writes it as it leaves. It is moved to
 * its place as a whole. An aid only: where it cannot be made, or another process is making it, nodes start without.
 */
export async function ensureClassArchive(options: ArchiveOptions, say: (line: string) => void, context: Context): Promise<void> {
  const path = await pathOf(options, context.signal)
  if (existsSync(path)) return
  await mkdir(options.cacheDir, {recursive: true})
  try {
    const release = await takeLock(`${path}.lock`, 'making the archive of classes')
    try {
      if (!existsSync(path)) await make(path, options, say, context)
    } finally {
      await release()
    }
  } catch (error) {
    if (context.signal.aborted) throw error
    if (error instanceof AlreadyRunningError) return
    context.logger.warn({error, path}, 'nodes of Cassandra start slowly: no archive of classes')
  }
}

async function make(path: string, {cacheDir, classPath}: ArchiveOptions, say: (line: string) => void, context: Context): Promise<void> {
  say('making an archive of the classes of Cassandra, once; it takes about ten seconds')
  const work = await mkdtemp(join(cacheDir, '.archiving-'))
  try {
    const archive = join(work, 'classes.jsa')
    await trainNode(async (listen, ports) => await prepare(work, {listen, ports, archive, classPath}), work, context)
    const {size} = await stat(archive)
    context.logger.debug({path, size}, 'archive of classes made')
    await rename(archive, path)
  } finally {
    await rm(work, {recursive: true, force: true})
  }
}

interface Training {
  readonly listen: string
  readonly ports: {readonly client: number; readonly storage: number}
  readonly archive: string
  readonly classPath: readonly string[]
}

/** Writes what the node starts from; resolves with its command line. */
async function prepare(folder: string, {listen, ports, archive, classPath}: Training): Promise<string[]> {
  const files = cassandraFiles({
    seeds: [`${listen}:${ports.storage}`],
    listen,
    ports,
    tokens: tokensOf(1, 1),
    heapMb: HEAP_MB,
    commitLogSync: 'batch',
  })
  const text = javaArguments({
    classPath,
    heapMb: HEAP_MB,
    flags: [...cassandraFlags(folder, HEAP_MB), `-XX:ArchiveClassesAtExit=${archive}`],
    main: cassandraMain,
  })
  for (const [name, content] of Object.entries({...files, 'java.args': text})) await writeFile(join(folder, name), content)
  return [javaProgram('java'), `@${join(folder, 'java.args')}`]
}

/** Java refuses an archive of another Java, or of jars of another path or date. */
async function pathOf({cacheDir, classPath}: ArchiveOptions, signal: AbortSignal): Promise<string> {
  const jars = await Promise.all(classPath.map(async (jar) => `${jar} ${(await stat(jar).catch(() => null))?.mtimeMs}`))
  const made = [await javaVersion(signal), ...cassandraFlags('', HEAP_MB), ...jars].join('\n')
  return join(cacheDir, `cassandra-classes-${createHash('sha256').update(made).digest('hex').slice(0, 16)}.jsa`)
}
