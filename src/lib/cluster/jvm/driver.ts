import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import type {Context} from '../../core/context.ts'
import {identifyProcess, isSameProcess} from '../../core/process-identity.ts'
import {ensureClassArchive, findClassArchive} from '../cassandra/class-archive.ts'
import type {ClusterDriver, NodeHandle, NodeProcess, NodeSignal} from '../driver.ts'
import {NodeFailedError, NodeSignalError} from '../errors.ts'
import {JAR_LOCKS, jarPath} from '../jars/lock.ts'
import {ensureJars} from '../jars.ts'
import {formatStorage} from '../kafka/format.ts'
import {keystoreOf, makeKeystore} from '../kafka/keystore.ts'
import {type ClusterPlan, nodesOf, type PlannedNode} from '../plan.ts'
import {processFacts} from '../process-facts.ts'
import {checkJava} from './java.ts'
import {launchOf} from './programs.ts'
import {ensureRegistry, registryProgram} from './registry.ts'
import {ensureToxiproxy, toxiproxyProgram} from './toxiproxy.ts'

export interface JvmDriverOptions {
  readonly plan: ClusterPlan
  readonly folder: string
  readonly cacheDir: string
}

const LOG = 'node.log'

/**
 * Node closes what it inherited only up to the first gap in the numbers; a pipe of the shell above it would stay open for as long as the node runs, and
 * whoever reads its other end would wait for that. So the shell closes the rest before it becomes the program.
 */
const SHELL = '/bin/bash'
const WITHOUT_INHERITED = ['-c', 'cd /dev/fd; for n in *; do [ "$n" -gt 2 ] && eval "exec $n>&-"; done; cd "$OLDPWD"; exec "$@"', SHELL]

/** Nodes as processes of this machine: Java by its own jars, and Toxiproxy. */
export class JvmDriver implements ClusterDriver {
  readonly #options: JvmDriverOptions
  readonly #context: Context
  #classArchive: string | null = null

  constructor(options: JvmDriverOptions, context: Context) {
    this.#options = options
    this.#context = context
  }

  async fetch(say: (line: string) => void): Promise<void> {
    const {plan, cacheDir} = this.#options
    const {signal} = this.#context
    await checkJava(signal)
    if (plan.kind === 'registry') return await ensureRegistry(cacheDir, plan.version, say, signal)
    await ensureJars(plan.kind, {cacheDir}, this.#context)
    if (plan.kind === 'cassandra') await ensureClassArchive({cacheDir, classPath: this.#classPath()}, say, this.#context)
    if (nodesOf(plan, 'toxiproxy').length > 0) await ensureToxiproxy(cacheDir, say, signal)
  }

  async prepare(): Promise<void> {
    const {plan, folder, cacheDir} = this.#options
    const {signal} = this.#context
    const brokers = nodesOf(plan, 'kafka')
    if (plan.security?.tls)
      await makeKeystore(
        keystoreOf(folder),
        brokers.map(({host}) => host),
        signal,
      )
    if (plan.kind === 'cassandra') this.#classArchive = await findClassArchive({cacheDir, classPath: this.#classPath()}, signal)
    if (plan.kind !== 'kafka') return
    const storage = new Map(brokers.map((node) => [node, join(folder, node.id, 'data')]))
    await formatStorage(plan, storage, {cacheDir, classPath: this.#classPath(), signal})
  }

  async start(node: PlannedNode): Promise<NodeHandle> {
    const {plan, folder, cacheDir} = this.#options
    const own = join(folder, node.id)
    const place = {
      folder: own,
      keystore: keystoreOf(folder).keystore,
      classPath: this.#classPath(),
      toxiproxy: toxiproxyProgram(cacheDir),
      registry: registryProgram(cacheDir, plan.version),
      classArchive: this.#classArchive,
    }
    const {files, command, args} = launchOf(plan, node, place)
    for (const [name, text] of Object.entries(files)) writeInto(join(own, name), text)
    const startedAtMs = Math.floor(this.#context.clock.nowUs() / 1000)
    const pid = await this.#spawn(node, own, command, args)
    const identity = identifyProcess(pid)
    if (identity === null)
      throw new NodeFailedError(`${node.id} ended as soon as it was started\n${(await this.tail(node, 15)).join('\n')}`)
    return {process: identity, startedAtMs}
  }

  async inspect(_node: PlannedNode, handle: NodeHandle | null): Promise<NodeProcess | null> {
    if (!handle?.process || isSameProcess(handle.process) !== true) return null
    const {pid} = handle.process
    const facts = processFacts(pid)
    return facts && {pid, startedAtMs: handle.startedAtMs, ...facts}
  }

  async signal(node: PlannedNode, handle: NodeHandle | null, signal: NodeSignal): Promise<void> {
    if (!handle?.process || isSameProcess(handle.process) !== true) throw notRunning(node)
    const {pid} = handle.process
    try {
      process.kill(pid, `SIG${signal}`)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ESRCH') throw notRunning(node)
      throw new NodeSignalError(`SIG${signal} to ${node.id} (pid ${pid}) was refused: ${(cause as Error).message}`, {
        cause,
        remedy: ['run this as the user who started the cluster'],
      })
    }
  }

  async tail(node: PlannedNode, lines: number): Promise<string[]> {
    const path = join(this.#options.folder, node.id, LOG)
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines) : []
  }

  async remove(): Promise<void> {
    // Everything is in the cluster's folder.
  }

  #classPath(): string[] {
    const {plan, cacheDir} = this.#options
    return plan.kind === 'registry' ? [] : Object.keys(JAR_LOCKS[plan.kind].jars).map((jar) => join(cacheDir, jarPath(jar)))
  }

  /** Detached, with its output in a file, so that it outlives this process and holds nothing of its terminal. */
  async #spawn(node: PlannedNode, folder: string, command: string, args: readonly string[]): Promise<number> {
    const log = openSync(join(folder, LOG), 'a')
    try {
      const [program = command, ...rest] = existsSync(SHELL) ? [SHELL, ...WITHOUT_INHERITED, command, ...args] : [command, ...args]
      const child = spawn(program, rest, {cwd: folder, detached: true, stdio: ['ignore', log, log]})
      await once(child, 'spawn')
      child.unref()
      return child.pid ?? 0
    } catch (cause) {
      throw new NodeFailedError(`${node.id} cannot be started: ${(cause as Error).message}`, {
        cause,
        remedy: [`see that it is there: ${command}`],
      })
    } finally {
      closeSync(log)
    }
  }
}

function writeInto(path: string, text: string): void {
  mkdirSync(dirname(path), {recursive: true})
  writeFileSync(path, text, {mode: 0o600})
}

function notRunning(node: PlannedNode): NodeSignalError {
  return new NodeSignalError(`${node.id} does not run`, {remedy: [`start it: coinpipe cluster start ${node.id}`]})
}
