import {createHash} from 'node:crypto'
import {createReadStream, existsSync} from 'node:fs'
import {mkdtemp, readdir, rename, rm, stat, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import type {Context} from '../../core/context.ts'
import {AlreadyRunningError, takeLock} from '../../core/lock.ts'
import {javaProgram, javaVersion} from '../jvm/java.ts'
import {javaArguments} from '../jvm/launch.ts'
import {cassandraFiles, cassandraFlags, cassandraMain} from './launch.ts'
import {CASSANDRA_MODULE_FLAGS} from './module-flags.ts'
import {tokensOf} from './tokens.ts'
import {trainNode} from './train-node.ts'

export interface ArchiveOptions {
  readonly cacheDir: string
  /** Jars of the nodes, in the order of their class path: an archive is for just these. */
  readonly classPath: readonly string[]
}

const HEAP_MB = 256
const NAME = 'cassandra-classes-'
const WORK = '.archiving-'
const SHOWN_DIGITS = 16

/**
 * The file of classes that nodes of this class path and this Java start from: without it a start takes twice as long. Null where there is none (yet). Java starts
 * without one that is of another Java or of other jars, but crashes on one of which a part is missing: so its checksum is in its name.
 */
export async function findClassArchive(options: ArchiveOptions, signal: AbortSignal): Promise<string | null> {
  return await findSound(options.cacheDir, await keyOf(options, signal))
}

/**
 * Makes that file where it is missing: a node of its own, on a folder and ports of its own, starts, serves a few requests, and writes it as it leaves. It is moved to
 * its place as a whole. An aid only: where it cannot be made, or another process is making it, nodes start without.
 */
export async function ensureClassArchive(options: ArchiveOptions, say: (line: string) => void, context: Context): Promise<void> {
  const {cacheDir} = options
  const key = await keyOf(options, context.signal)
  if ((await findSound(cacheDir, key)) !== null) return
  try {
    const release = await takeLock(join(cacheDir, `${NAME}${key}.lock`), 'making the archive of classes')
    try {
      if ((await findSound(cacheDir, key)) === null) await make(key, options, say, context)
    } finally {
      await release()
    }
  } catch (error) {
    if (context.signal.aborted) throw error
    if (error instanceof AlreadyRunningError) return
    context.logger.warn({error, cacheDir}, 'nodes of Cassandra start slowly: no archive of classes')
  }
}

/** Only one process at a time is here with a key. */
async function make(key: string, {cacheDir, classPath}: ArchiveOptions, say: (line: string) => void, context: Context): Promise<void> {
  say('making an archive of the classes of Cassandra, once; it takes about ten seconds')
  // What a process left that was killed meanwhile, and damaged archives.
  for (const name of await namesOf(cacheDir, [`${WORK}${key}-`, `${NAME}${key}-`]))
    await rm(join(cacheDir, name), {recursive: true, force: true})
  const work = await mkdtemp(join(cacheDir, `${WORK}${key}-`))
  try {
    const archive = join(work, 'classes.jsa')
    await trainNode(async (listen, ports) => await prepare(work, {listen, ports, archive, classPath}), work, context)
    await rename(archive, join(cacheDir, `${NAME}${key}-${await checksum(archive)}.jsa`))
  } finally {
    await rm(work, {recursive: true, force: true})
  }
}

async function findSound(cacheDir: string, key: string): Promise<string | null> {
  for (const name of await namesOf(cacheDir, [`${NAME}${key}-`])) {
    const path = join(cacheDir, name)
    if (name === `${NAME}${key}-${await checksum(path)}.jsa`) return path
  }
  return null
}

async function namesOf(cacheDir: string, beginnings: readonly string[]): Promise<string[]> {
  const names = existsSync(cacheDir) ? await readdir(cacheDir) : []
  return names.filter((name) => beginnings.some((beginning) => name.startsWith(beginning)))
}

async function checksum(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex').slice(0, SHOWN_DIGITS)
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

/** What an archive is good for: this Java, open to these modules, and these jars, at these paths and of these dates. */
async function keyOf({classPath}: ArchiveOptions, signal: AbortSignal): Promise<string> {
  const jars = await Promise.all(classPath.map(async (jar) => `${jar} ${(await stat(jar).catch(() => null))?.mtimeMs}`))
  const made = [await javaVersion(signal), ...CASSANDRA_MODULE_FLAGS, ...jars].join('\n')
  return createHash('sha256').update(made).digest('hex').slice(0, SHOWN_DIGITS)
}
