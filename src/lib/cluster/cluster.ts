import type {Context} from '../core/context.ts'
import {AbortedError, DeadlineError} from '../core/errors.ts'
import {createDriver} from './create-driver.ts'
import type {ClusterDriver, NodeHandle, NodeProcess, NodeSignal} from './driver.ts'
import {ClusterNotReadyError, NodeFailedError, NodeSignalError} from './errors.ts'
import {clusterHealth} from './health.ts'
import type {PlannedNode} from './plan.ts'
import type {ClusterFolders, ClusterState} from './state.ts'
import {type ClusterStatus, describeCluster} from './status.ts'

const POLL_MS = 100
/** How long one question to one node may take. */
const PROBE_MS = 1500
const KILL_MS = 10_000
const SHOWN_LOG_LINES = 15

/** One cluster as its state file tells of it: looks at its nodes, starts them, waits for them and stops them. */
export class Cluster {
  readonly #folders: ClusterFolders
  readonly #context: Context
  readonly #driver: ClusterDriver
  readonly #folder: string
  #state: ClusterState

  constructor(state: ClusterState, folders: ClusterFolders, context: Context) {
    this.#state = state
    this.#folders = folders
    this.#context = context
    this.#folder = folders.folder(state.plan.name)
    this.#driver = createDriver(state, this.#folder, context)
  }

  get plan(): ClusterState['plan'] {
    return this.#state.plan
  }

  get driver(): ClusterDriver {
    return this.#driver
  }

  async inspect(node: PlannedNode): Promise<NodeProcess | null> {
    return await this.#driver.inspect(node, this.#handle(node))
  }

  async status(): Promise<ClusterStatus> {
    const processes = new Map(await Promise.all(this.plan.nodes.map(async (node) => [node.id, await this.inspect(node)] as const)))
    const answering = this.plan.nodes.filter(({id}) => processes.get(id)?.paused === false)
    const health = await clusterHealth(this.plan, answering, PROBE_MS)
    const stopped = Object.keys(this.#state.started).length === 0
    return describeCluster({plan: this.plan, folder: this.#folder, stopped, processes, health, nowMs: this.#nowMs()})
  }

  /** Starts nodes that do not run and writes down what was started, before and after. */
  async start(nodes: readonly PlannedNode[]): Promise<void> {
    for (const node of nodes) {
      if (this.#context.signal.aborted) throw new AbortedError()
      this.#note(node, {process: null, startedAtMs: this.#nowMs()})
      this.#note(node, await this.#driver.start(node))
    }
  }

  /**
   * Resolves once every one of `nodes` runs, serves and lacks nothing. Rejects with NodeFailedError where one ends meanwhile and with ClusterNotReadyError after
   * `timeoutMs`, both with the end of the node's log. `show` is told what is still missing.
   */
  async untilWhole(nodes: readonly PlannedNode[], timeoutMs: number, show: (text: string) => void): Promise<ClusterStatus> {
    const {clock, signal} = this.#context
    const deadlineMs = clock.monotonicMs() + timeoutMs
    for (;;) {
      const running = await this.#running(nodes)
      const health = await clusterHealth(this.plan, running, PROBE_MS)
      const lacking = nodes.find(({id}) => health.get(id)?.problem !== null)
      if (!lacking) return await this.status()
      const problem = health.get(lacking.id)?.problem ?? `${lacking.id} is paused`
      if (clock.monotonicMs() > deadlineMs) throw await this.#notReady(lacking, problem, timeoutMs)
      show(problem)
      await clock.sleep(POLL_MS, signal)
    }
  }

  /** Sends a signal and resolves once it took hold: the node is gone, paused, or goes on. Rejects with NodeSignalError where it does not within `timeoutMs`. */
  async signal(node: PlannedNode, signal: NodeSignal, timeoutMs: number): Promise<void> {
    const before = await this.inspect(node)
    if (before?.paused && (signal === 'TERM' || signal === 'INT')) {
      throw new NodeSignalError(`${node.id} is paused: it sees SIG${signal} only when it goes on`, {
        remedy: [`coinpipe cluster kill ${node.id} --signal CONT`, `or end it as it is: coinpipe cluster kill ${node.id} --signal KILL`],
      })
    }
    await this.#driver.signal(node, this.#handle(node), signal)
    if (await this.#until(async () => tookHold(await this.inspect(node), signal), timeoutMs)) return
    throw new NodeSignalError(`${node.id} has not answered SIG${signal} within ${timeoutMs} ms`, {
      remedy: [`end it for sure: coinpipe cluster kill ${node.id} --signal KILL`],
    })
  }

  /** Stops nodes: SIGTERM, and SIGKILL for what still runs after `graceMs`. Resolves with what each took; nodes that did not run are not in it. */
  async stop(nodes: readonly PlannedNode[], graceMs: number): Promise<{id: string; signal: 'TERM' | 'KILL'}[]> {
    const running = await this.#alive(nodes)
    for (const {node, process} of running) {
      // What is paused sees no SIGTERM.
      if (process.paused) await this.#send(node, 'CONT')
      await this.#send(node, 'TERM')
    }
    await this.#until(async () => (await this.#alive(nodes)).length === 0, graceMs)
    const stubborn = await this.#alive(nodes)
    for (const {node} of stubborn) await this.#send(node, 'KILL')
    if (!(await this.#until(async () => (await this.#alive(nodes)).length === 0, KILL_MS))) {
      throw new DeadlineError(`${stubborn.map(({node}) => node.id).join(', ')} still run ${KILL_MS} ms after SIGKILL`)
    }
    for (const {id} of nodes.filter(({id}) => this.#state.started[id])) this.#forget(id)
    return running.map(({node}) => ({id: node.id, signal: stubborn.some((other) => other.node === node) ? 'KILL' : 'TERM'}))
  }

  async #alive(nodes: readonly PlannedNode[]): Promise<{node: PlannedNode; process: NodeProcess}[]> {
    const seen = await Promise.all(nodes.map(async (node) => ({node, process: await this.inspect(node)})))
    return seen.flatMap(({node, process}) => (process ? [{node, process}] : []))
  }

  /** Like the driver's, but a node that ends by itself at this moment is fine. */
  async #send(node: PlannedNode, signal: NodeSignal): Promise<void> {
    try {
      await this.#driver.signal(node, this.#handle(node), signal)
    } catch (error) {
      if ((await this.inspect(node)) !== null) throw error
    }
  }

  /** Polls with a deadline. Goes on while the run is stopped: what is being stopped has to be stopped to the end. */
  async #until(isSo: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
    const {clock} = this.#context
    const deadlineMs = clock.monotonicMs() + timeoutMs
    while (!(await isSo())) {
      if (clock.monotonicMs() > deadlineMs) return false
      await clock.sleep(POLL_MS / 4)
    }
    return true
  }

  /** The running nodes of the cluster that can answer. Throws where one of `nodes` has ended. */
  async #running(nodes: readonly PlannedNode[]): Promise<PlannedNode[]> {
    const seen = await Promise.all(this.plan.nodes.map(async (node) => ({node, process: await this.inspect(node)})))
    const dead = seen.find(({node, process}) => process === null && nodes.some(({id}) => id === node.id))
    if (dead) throw await this.#failed(dead.node)
    return seen.filter(({process}) => process?.paused === false).map(({node}) => node)
  }

  async #failed(node: PlannedNode): Promise<NodeFailedError> {
    return new NodeFailedError(`${node.id} ended while it started; the end of its log:\n${await this.#logEnd(node)}`, {
      remedy: [`see all of it: ${this.#folder}/${node.id}/node.log`, this.#downRemedy()],
    })
  }

  async #notReady(node: PlannedNode, problem: string, timeoutMs: number): Promise<ClusterNotReadyError> {
    return new ClusterNotReadyError(
      `cluster '${this.plan.name}' is not whole after ${timeoutMs} ms: ${problem}; the end of the log of ${node.id}:\n${await this.#logEnd(node)}`,
      {
        remedy: [
          `see how it goes on: coinpipe cluster status --cluster ${this.plan.name}`,
          `start what is missing: coinpipe cluster up ${this.plan.kind} --cluster ${this.plan.name} --timeout 2m`,
          this.#downRemedy(),
        ],
        retry: {kind: 'later'},
      },
    )
  }

  #downRemedy(): string {
    return `take the cluster down: coinpipe cluster down --cluster ${this.plan.name}`
  }

  async #logEnd(node: PlannedNode): Promise<string> {
    return (await this.#driver.tail(node, SHOWN_LOG_LINES)).map((line) => `  ${line}`).join('\n')
  }

  #nowMs(): number {
    return Math.floor(this.#context.clock.nowUs() / 1000)
  }

  #handle(node: PlannedNode): NodeHandle | null {
    return this.#state.started[node.id] ?? null
  }

  #note(node: PlannedNode, handle: NodeHandle): void {
    this.#state = {...this.#state, started: {...this.#state.started, [node.id]: handle}}
    this.#folders.write(this.#state)
  }

  #forget(id: string): void {
    const {[id]: _, ...started} = this.#state.started
    this.#state = {...this.#state, started}
    this.#folders.write(this.#state)
  }
}

function tookHold(now: NodeProcess | null, signal: NodeSignal): boolean {
  if (signal === 'STOP') return now?.paused === true
  if (signal === 'CONT') return now?.paused === false
  return now === null
}
