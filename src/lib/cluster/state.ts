import {randomBytes} from 'node:crypto'
import {existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {z} from 'zod'
import type {Clock} from '../core/context.ts'
import {makeFolder} from '../core/folder.ts'
import {AlreadyRunningError, takeLock} from '../core/lock.ts'
import type {NodeHandle} from './driver.ts'
import {ClusterBusyError, ClusterStateError} from './errors.ts'
import {type ClusterPlan, planSchema} from './plan.ts'

const handleSchema = z.strictObject({
  process: z.strictObject({pid: z.int(), startTime: z.string(), scope: z.string()}).nullable(),
  startedAtMs: z.number(),
})

const stateSchema = z.strictObject({
  version: z.literal(1),
  plan: planSchema,
  /** Where jars are kept; the nodes run from there. */
  cacheDir: z.string(),
  /** What was started and not stopped, by node id. A node that died still stands here. */
  started: z.record(z.string(), handleSchema),
})

/** What is known of a cluster between two commands: the file cluster.json in its folder. */
export interface ClusterState {
  readonly plan: ClusterPlan
  readonly cacheDir: string
  readonly started: Readonly<Record<string, NodeHandle>>
}

const FILE = 'cluster.json'
const LOCK_WAIT_MS = 15_000
const LOCK_POLL_MS = 50

/** The folder of all clusters: `<data-dir>/clusters`, in it one folder for each. */
export class ClusterFolders {
  readonly #root: string
  readonly #clock: Clock

  constructor(dataDir: string, clock: Clock) {
    this.#root = join(dataDir, 'clusters')
    this.#clock = clock
  }

  /** Names of the clusters that there are, running or not. */
  names(): string[] {
    if (!existsSync(this.#root)) return []
    return readdirSync(this.#root)
      .filter((name) => existsSync(join(this.#root, name, FILE)))
      .sort()
  }

  folder(name: string): string {
    return join(this.#root, name)
  }

  /** Null where there is no such cluster. Throws ClusterStateError where its file is damaged. */
  read(name: string): ClusterState | null {
    const path = join(this.folder(name), FILE)
    if (!existsSync(path)) return null
    try {
      const {plan, cacheDir, started} = stateSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
      return {plan, cacheDir, started}
    } catch (cause) {
      throw damaged(name, path, cause)
    }
  }

  /** Replaces the file as a whole, so that nobody ever reads half of it. */
  write({plan, cacheDir, started}: ClusterState): void {
    const path = join(this.folder(plan.name), FILE)
    const next = `${path}.${randomBytes(4).toString('hex')}`
    makeFolder(this.folder(plan.name))
    // A plan may hold a password.
    writeFileSync(next, `${JSON.stringify({version: 1, plan, cacheDir, started}, null, 2)}\n`, {mode: 0o600})
    renameSync(next, path)
  }

  remove(name: string): void {
    rmSync(this.folder(name), {recursive: true, force: true})
  }

  /**
   * Runs `change` while no other command changes this cluster. Held for as long as it takes to start processes or to stop them, not while they get ready.
   * Rejects with ClusterBusyError.
   */
  async locked<T>(name: string, signal: AbortSignal, change: () => Promise<T>): Promise<T> {
    const release = await this.#take(name, signal)
    try {
      return await change()
    } finally {
      await release()
    }
  }

  async #take(name: string, signal: AbortSignal): Promise<() => Promise<void>> {
    const startedMs = this.#clock.monotonicMs()
    for (;;) {
      try {
        return await takeLock(join(this.#root, `${name}.lock`), `a change of cluster '${name}'`)
      } catch (cause) {
        if (!(cause instanceof AlreadyRunningError)) throw cause
        if (this.#clock.monotonicMs() - startedMs > LOCK_WAIT_MS) throw new ClusterBusyError(name, LOCK_WAIT_MS, {cause})
        await this.#clock.sleep(LOCK_POLL_MS, signal)
      }
    }
  }
}

function damaged(name: string, path: string, cause: unknown): ClusterStateError {
  const why = cause instanceof z.ZodError ? z.prettifyError(cause).replaceAll('\n', ' ') : (cause as Error).message
  return new ClusterStateError(`the state of cluster '${name}' in ${path} is damaged: ${why}`, {
    cause,
    remedy: [
      `see which of its nodes still run, and end them: pgrep -fl ${join(path, '..')}`,
      `then remove the cluster with its data: rm -r ${join(path, '..')}`,
    ],
  })
}
