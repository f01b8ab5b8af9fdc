import type {Context} from '../core/context.ts'
import {checkAddresses} from './addresses.ts'
import {Cluster} from './cluster.ts'
import type {NodeSignal} from './driver.ts'
import {ClusterUnknownError, NodeSignalError} from './errors.ts'
import {putScramUser, viewOf} from './kafka/probe.ts'
import {checkSame, makePlan, type PlanOptions} from './make-plan.ts'
import {type ClusterPlan, clientPort, nodesOf, type PlannedNode, PROGRAMS, proxiesOf} from './plan.ts'
import {ClusterFolders, type ClusterState} from './state.ts'
import type {ClusterStatus} from './status.ts'

export interface ClusterServiceOptions {
  readonly dataDir: string
  /** Told what takes long, a line each. */
  readonly say?: (line: string) => void
  /** Told what is waited for, each replacing the one before; empty at the end. */
  readonly show?: (text: string) => void
}

export interface UpOptions extends PlanOptions {
  /** Where jars and programs are kept, for all clusters; one that exists keeps to its own. */
  readonly cacheDir: string
  /** How long it may take to be whole. */
  readonly timeoutMs?: number | undefined
}

export interface UpResult {
  /** Nodes that this call started; none where all were running. */
  readonly started: readonly string[]
  readonly elapsedMs: number
  readonly status: ClusterStatus
}

export interface KillResult {
  readonly cluster: string
  readonly node: string
  readonly signal: NodeSignal
  /** Null where the node runs outside this machine's processes. */
  readonly pid: number | null
  /** From the signal until it was seen to have taken hold. */
  readonly elapsedMs: number
}

export interface DownOptions {
  readonly cluster?: string | undefined
  readonly wipe?: boolean | undefined
  /** How long a node may take to end by itself. */
  readonly timeoutMs?: number | undefined
}

export interface DownResult {
  readonly cluster: string
  /** Which signal ended each node that ran. */
  readonly stopped: readonly {readonly id: string; readonly signal: 'TERM' | 'KILL'}[]
  readonly wiped: boolean
}

const READY_MS = 180_000
const KILL_MS = 30_000
const GRACE_MS = 15_000
/** After Ctrl-C nobody wants to wait. */
const STOPPED_GRACE_MS = 5000
const SCRAM_MS = 5000

/** Real servers on this machine: starts, looks at, breaks and stops clusters. Each call reads the state file anew, so several processes may use it at once. */
export class ClusterService {
  readonly #options: Required<ClusterServiceOptions>
  readonly #context: Context
  readonly #folders: ClusterFolders

  constructor(options: ClusterServiceOptions, context: Context) {
    this.#options = {say: () => undefined, show: () => undefined, ...options}
    this.#context = context
    this.#folders = new ClusterFolders(options.dataDir, context.clock)
  }

  /**
   * Starts a cluster, or what is missing of one that exists, and resolves once it is whole. A run that is stopped meanwhile stops what it started and rejects
   * with AbortedError; one that fails leaves what runs as it is, to be looked at.
   */
  async up(options: UpOptions): Promise<UpResult> {
    const startedMs = this.#context.clock.monotonicMs()
    const {cluster, started} = await this.#makeAndStart(options)
    await this.#orStop(
      () => this.#stopStarted(cluster.plan.name, started),
      async () => {
        await cluster.untilWhole(cluster.plan.nodes, options.timeoutMs ?? READY_MS, this.#options.show)
        await putUser(cluster.plan)
      },
    )
    return await this.#upResult(cluster, started, startedMs)
  }

  /** One cluster, or all that there are. */
  async status(name?: string): Promise<ClusterStatus[]> {
    const names = name === undefined ? this.#folders.names() : [name]
    return await Promise.all(names.map(async (name) => await this.#open(name).status()))
  }

  /** Sends a signal to one node and resolves once it took hold. `cluster` may be left away where only one in use has a node of that name. */
  async kill(
    id: string,
    signal: NodeSignal,
    options: {readonly cluster?: string | undefined; readonly timeoutMs?: number | undefined} = {},
  ): Promise<KillResult> {
    const {cluster, node} = this.#node(this.nameOf(options.cluster, id), id)
    const pid = (await cluster.inspect(node))?.pid ?? null
    const startedMs = this.#context.clock.monotonicMs()
    await cluster.signal(node, signal, options.timeoutMs ?? KILL_MS)
    return {cluster: cluster.plan.name, node: id, signal, pid, elapsedMs: this.#since(startedMs)}
  }

  /** Starts one node on the data that it has and resolves once it serves and is in sync again. One that runs already is only waited for. */
  async start(
    id: string,
    options: {readonly cluster?: string | undefined; readonly timeoutMs?: number | undefined} = {},
  ): Promise<UpResult> {
    const startedMs = this.#context.clock.monotonicMs()
    const name = this.nameOf(options.cluster, id)
    const {driver, node} = this.#node(name, id)
    await driver.fetch(this.#options.say)
    const {cluster, started} = await this.#locked(name, async (cluster) => ({cluster, started: await this.#startOf(cluster, [node])}))
    await this.#orStop(
      () => this.#stopStarted(name, started),
      () => cluster.untilWhole([node], options.timeoutMs ?? READY_MS, this.#options.show),
    )
    return await this.#upResult(cluster, started, startedMs)
  }

  /** Stops every node, brokers before what they depend on. `wipe` removes the cluster with its data. */
  async down(options: DownOptions = {}): Promise<DownResult> {
    const {wipe = false, timeoutMs = GRACE_MS} = options
    const name = this.nameOf(options.cluster)
    return await this.#locked(name, async (cluster) => {
      const stopped = await stopInTurn(cluster, cluster.plan.nodes, timeoutMs)
      if (wipe) {
        await cluster.driver.remove()
        this.#folders.remove(name)
      }
      return {cluster: name, stopped, wiped: wipe}
    })
  }

  /** The cluster that is meant where none is named: the only one (with a node `id`), or the only one of these that has been started. Throws ClusterUnknownError. */
  nameOf(asked: string | undefined, id?: string): string {
    if (asked !== undefined) return asked
    const all = this.#folders.names()
    const having = all.filter((name) => this.#folders.read(name)?.plan.nodes.some((node) => node.id === id))
    const names = having.length > 0 ? having : all
    const started = names.filter((name) => Object.keys(this.#folders.read(name)?.started ?? {}).length > 0)
    const [only, ...more] = started.length > 0 ? started : names
    if (only !== undefined && more.length === 0) return only
    throw new ClusterUnknownError(only === undefined ? 'there is no cluster' : 'there is more than one cluster', {remedy: this.#known()})
  }

  async #makeAndStart(options: UpOptions): Promise<{cluster: Cluster; started: PlannedNode[]}> {
    const name = options.name ?? options.kind
    const make = (): ClusterState => ({plan: makePlan(options), cacheDir: options.cacheDir, started: {}})
    const state = this.#folders.read(name) ?? make()
    checkSame(state.plan, options)
    await this.#cluster(state).driver.fetch(this.#options.say)
    return await this.#folders.locked(name, this.#context.signal, async () => {
      // Another command may have made it meanwhile, or removed it.
      const cluster = this.#cluster(this.#folders.read(name) ?? make())
      checkSame(cluster.plan, options)
      return {cluster, started: await this.#startOf(cluster, cluster.plan.nodes)}
    })
  }

  /** Starts those of `nodes` that do not run; resolves with them. */
  async #startOf(cluster: Cluster, nodes: readonly PlannedNode[]): Promise<PlannedNode[]> {
    const seen = await Promise.all(nodes.map(async (node) => ({node, process: await cluster.inspect(node)})))
    const paused = seen.find(({process}) => process?.paused)
    if (paused) {
      throw new NodeSignalError(`${paused.node.id} is paused`, {
        remedy: [`let it go on: coinpipe cluster kill ${paused.node.id} --signal CONT`],
      })
    }
    const missing = seen.filter(({process}) => process === null).map(({node}) => node)
    if (missing.length === 0) return []
    await checkAddresses(missing, proxiesOf(cluster.plan))
    await cluster.driver.prepare()
    this.#options.say(`starting ${missing.map(({id}) => id).join(', ')} of cluster '${cluster.plan.name}'`)
    await this.#orStop(
      () => stopInTurn(cluster, missing, STOPPED_GRACE_MS),
      () => cluster.start(missing),
    )
    return missing
  }

  /** Where the run is stopped during `work`, stops what it started before it passes that on. */
  async #orStop(stop: () => Promise<unknown>, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (this.#context.signal.aborted) await stop()
      throw error
    } finally {
      this.#options.show('')
    }
  }

  /** By what the state file says now: another command may have changed the cluster while this one waited for it. */
  async #stopStarted(name: string, started: readonly PlannedNode[]): Promise<void> {
    // The run's own signal has aborted already.
    const {signal} = new AbortController()
    await this.#folders.locked(name, signal, async () => {
      const state = this.#folders.read(name)
      if (state) await stopInTurn(this.#cluster(state), started, STOPPED_GRACE_MS)
    })
  }

  async #upResult(cluster: Cluster, started: readonly PlannedNode[], startedMs: number): Promise<UpResult> {
    return {started: started.map(({id}) => id), elapsedMs: this.#since(startedMs), status: await cluster.status()}
  }

  async #locked<T>(name: string, work: (cluster: Cluster) => Promise<T>): Promise<T> {
    return await this.#folders.locked(name, this.#context.signal, async () => await work(this.#open(name)))
  }

  #cluster(state: ClusterState): Cluster {
    return new Cluster(state, this.#folders, this.#context)
  }

  #open(name: string): Cluster {
    const state = this.#folders.read(name)
    if (state) return this.#cluster(state)
    throw new ClusterUnknownError(`there is no cluster '${name}'`, {remedy: this.#known()})
  }

  #node(name: string, id: string): {cluster: Cluster; driver: Cluster['driver']; node: PlannedNode} {
    const cluster = this.#open(name)
    const node = cluster.plan.nodes.find((node) => node.id === id)
    if (node) return {cluster, driver: cluster.driver, node}
    const ids = cluster.plan.nodes.map(({id}) => id).join(', ')
    throw new ClusterUnknownError(`cluster '${name}' has no node '${id}'`, {remedy: [`its nodes: ${ids}`]})
  }

  #known(): string[] {
    const names = this.#folders.names()
    return names.length === 0
      ? ['make one: coinpipe cluster up kafka']
      : [`choose one of these: ${names.map((name) => `--cluster ${name}`).join(', ')}`]
  }

  #since(startedMs: number): number {
    return Math.round(this.#context.clock.monotonicMs() - startedMs)
  }
}

/** Program after program, in the order opposite to that of starting: a broker that leaves still needs its ZooKeepers. */
async function stopInTurn(cluster: Cluster, nodes: readonly PlannedNode[], graceMs: number): Promise<DownResult['stopped']> {
  const stopped: DownResult['stopped'][number][] = []
  for (const program of PROGRAMS.toReversed()) {
    stopped.push(
      ...(await cluster.stop(
        nodes.filter((node) => node.program === program),
        graceMs,
      )),
    )
  }
  return stopped
}

/** Makes the user of the SASL listener known for SCRAM; PLAIN stands in the brokers' settings. Again at each start: it costs one request. */
async function putUser(plan: ClusterPlan): Promise<void> {
  const brokers = nodesOf(plan, 'kafka')
  const [first] = brokers
  if (plan.security === null || first === undefined) return
  const {controllerId} = await viewOf(addressOf(first), SCRAM_MS)
  const controller = brokers.find(({number}) => number === controllerId) ?? first
  await putScramUser(addressOf(controller), plan.security.user, plan.security.password, SCRAM_MS)
}

function addressOf(node: PlannedNode): {host: string; port: number} {
  return {host: node.host, port: clientPort(node)}
}
