import {type ChildProcess, spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync, readFileSync, renameSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {createInterface} from 'node:readline'
import {z} from 'zod'
import type {Context} from '../../core/context.ts'
import {makeFolder} from '../../core/folder.ts'
import {identifyProcess, isSameProcess} from '../../core/process-identity.ts'
import {NodeFailedError} from '../errors.ts'
import {JAR_LOCKS, parseCoordinate} from '../jars/lock.ts'
import {ensureJars} from '../jars.ts'
import {checkJava, javaProgram} from '../jvm/java.ts'
import {formatStorage} from '../kafka/format.ts'
import {NodeFolderError, NodeRunsError} from './errors.ts'
import {argumentFile, DATA, launchOf, type NodeLaunch} from './launch.ts'
import {checkPorts} from './ports.ts'
import {remedyOf} from './remedies.ts'
import type {NodeSpec} from './spec.ts'

const ARGUMENTS = 'java.args'
const PROCESS = 'process.json'
const TAIL_LINES = 15
const ALARMS = 10

const identity = z.object({pid: z.int(), startTime: z.string(), scope: z.string()})

export interface NodeRunOptions {
  /** The node's own folder. */
  readonly folder: string
  readonly cacheDir: string
  readonly repository?: string | undefined
  /** Gets what the server writes, as it comes. */
  readonly write: (text: string) => void
}

export interface NodeRun {
  readonly node: string
  readonly folder: string
  readonly ranMs: number
}

/**
 * Runs one node until the context's signal aborts, and then to its own orderly end; its data stays for the next start. Should this process have to leave
 * before, the server is killed with it. Rejects with NodeFailedError, which shows the end of what it wrote, where the server ends by itself.
 */
export async function runNode(spec: NodeSpec, options: NodeRunOptions, context: Context): Promise<NodeRun> {
  const {folder, cacheDir, repository} = options
  const {signal, clock, logger} = context
  refuseSecond(spec.name, folder)
  await checkPorts(spec)
  await checkJava(signal)
  const launch = launchOf(spec, folder)
  writeFiles(folder, launch.files)
  const classPath = await ensureJars(launch.jars, {cacheDir, repository}, context)
  writeFiles(folder, {[ARGUMENTS]: argumentFile(launch, classPath)})
  if (spec.kind === 'kafka' && spec.mode === 'kraft') await format(spec, launch, {...options, classPath}, signal)
  signal.throwIfAborted()
  const startedMs = clock.monotonicMs()
  const child = spawn(javaProgram('java'), [`@${join(folder, ARGUMENTS)}`], {cwd: folder, stdio: ['ignore', 'pipe', 'pipe']})
  const tail = passOn(child, options.write)
  const {asked, how} = await supervise(child, signal, (pid) => {
    writeFiles(folder, {[PROCESS]: `${JSON.stringify(identifyProcess(pid))}\n`})
    logger.info({node: spec.name, javaPid: pid, folder}, 'node started')
  })
  if (asked) return {node: spec.name, folder, ranMs: Math.round(clock.monotonicMs() - startedMs)}
  const lines = tail()
  throw new NodeFailedError([`${spec.name} ended by itself, ${how}`, ...lines.map((line) => `  ${line}`)].join('\n'), {
    remedy: remedyOf(lines.join('\n'), spec),
  })
}

/** A second process on the same folder would fail less clearly, or not at all. */
function refuseSecond(name: string, folder: string): void {
  const path = join(folder, PROCESS)
  const earlier = existsSync(path) ? identity.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data : undefined
  if (earlier !== undefined && isSameProcess(earlier) === true) throw new NodeRunsError(name, earlier.pid)
}

async function format(
  {clusterId, id}: NodeSpec,
  {jars}: NodeLaunch,
  {folder, cacheDir, classPath}: NodeRunOptions & {readonly classPath: readonly string[]},
  signal: AbortSignal,
): Promise<void> {
  const {version} = parseCoordinate(JAR_LOCKS[jars].roots[0] ?? '')
  await formatStorage({version, clusterId}, new Map([[{number: id}, join(folder, DATA)]]), {cacheDir, classPath, signal})
}

/** Resolves once the process has ended: whether it was asked to, and how it did. */
async function supervise(child: ChildProcess, signal: AbortSignal, started: (pid: number) => void): Promise<{asked: boolean; how: string}> {
  // The deadline of stopping, or a second signal, ends this process at once.
  const kill = () => child.kill('SIGKILL')
  const stop = () => child.kill('SIGTERM')
  process.once('exit', kill)
  signal.addEventListener('abort', stop, {once: true})
  try {
    const [[code, by]] = await Promise.all([once(child, 'close'), once(child, 'spawn').then(() => started(child.pid ?? 0))])
    return {asked: signal.aborted, how: by === null ? `with code ${code}` : `killed by ${by}`}
  } finally {
    signal.removeEventListener('abort', stop)
    process.off('exit', kill)
  }
}

/** Hands on what the server writes, and remembers its first errors, which are often long past when it ends, and its last lines. */
function passOn(child: ChildProcess, write: (text: string) => void): () => string[] {
  const alarms: string[] = []
  let lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    stream.setEncoding('utf8').on('data', write)
    createInterface({input: stream}).on('line', (line) => {
      // Where in Java it happened says nothing to who runs it.
      if (/^\s+(at |\.\.\. \d+ more)/.test(line)) return
      if (alarms.length < ALARMS && /\b(ERROR|FATAL)\b|Exception/.test(line)) alarms.push(line)
      lines = [...lines, line].slice(-TAIL_LINES)
    })
  }
  return () => [...new Set([...alarms, ...lines])]
}

/** Each file is moved to its place as a whole. */
function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name)
      makeFolder(dirname(path))
      writeFileSync(`${path}.new`, text)
      renameSync(`${path}.new`, path)
    }
  } catch (cause) {
    throw new NodeFolderError(folder, cause as Error)
  }
}
