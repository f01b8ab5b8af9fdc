import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {z} from 'zod'
import type {Context} from '../core/context.ts'
import {projectOf, renderCompose} from './compose/render.ts'
import type {ClusterDriver, NodeHandle, NodeProcess, NodeSignal} from './driver.ts'
import {NodeSignalError, ToolFailedError, ToolMissingError} from './errors.ts'
import {keystoreOf, makeKeystore} from './kafka/keystore.ts'
import {type ClusterPlan, nodesOf, type PlannedNode} from './plan.ts'
import {runTool, type ToolOutput} from './tools.ts'

export interface ComposeDriverOptions {
  readonly plan: ClusterPlan
  readonly folder: string
  /** Program to call; for tests. */
  readonly docker?: string
}

interface DockerRun {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

const FILE = 'compose.yaml'
const PULL_MS = 900_000
const COMMAND_MS = 120_000
const REMEDY = ['install and start Docker with its compose plug-in (docker compose version; docker info), or use --driver jvm']

/** What `docker inspect` says of a container, as far as it is used. */
const inspected = z.array(z.object({State: z.object({Running: z.boolean(), Paused: z.boolean(), Pid: z.int(), StartedAt: z.string()})}))

/** Nodes in containers of one compose project. What is frozen is frozen by `docker pause`, which works inside a virtual machine too. */
export class ComposeDriver implements ClusterDriver {
  readonly #options: Required<ComposeDriverOptions>
  readonly #context: Context

  constructor(options: ComposeDriverOptions, context: Context) {
    this.#options = {docker: 'docker', ...options}
    this.#context = context
  }

  async fetch(say: (line: string) => void): Promise<void> {
    // Says so before anything is pulled where the plan has what no image exists for.
    this.#render()
    await this.#checkEngine()
    say('getting images, once')
    await this.prepare()
    await this.#compose(['pull', '--quiet', '--policy', 'missing'], {timeoutMs: PULL_MS, signal: this.#context.signal})
  }

  async prepare(): Promise<void> {
    const {plan, folder} = this.#options
    await mkdir(folder, {recursive: true})
    const hosts = nodesOf(plan, 'kafka').map(({host}) => host)
    if (plan.security?.tls) await makeKeystore(keystoreOf(folder), hosts, this.#context.signal)
    await writeFile(join(folder, FILE), this.#render(), {mode: 0o600})
  }

  async start(node: PlannedNode): Promise<NodeHandle> {
    const startedAtMs = Math.floor(this.#context.clock.nowUs() / 1000)
    // Without the nodes that it depends on: they are started, or left dead, on their own.
    await this.#compose(['up', '--detach', '--no-deps', node.id])
    return {process: null, startedAtMs}
  }

  async inspect(node: PlannedNode): Promise<NodeProcess | null> {
    const {stdout} = await this.#docker(['container', 'ls', '--all', '--quiet', '--filter', `name=^/${this.#container(node)}$`])
    const id = stdout.trim()
    if (id === '') return null
    const answer = await this.#docker(['container', 'inspect', id])
    const [container] = inspected.parse(JSON.parse(answer.stdout))
    if (!container?.State.Running) return null
    const {Pid, Paused, StartedAt} = container.State
    // Elsewhere containers run inside a virtual machine.
    const pid = process.platform === 'linux' ? Pid : null
    return {pid, startedAtMs: Date.parse(StartedAt), rssBytes: null, paused: Paused}
  }

  async signal(node: PlannedNode, _handle: NodeHandle | null, signal: NodeSignal): Promise<void> {
    if ((await this.inspect(node)) === null) {
      throw new NodeSignalError(`${node.id} does not run`, {remedy: [`start it: coinpipe cluster start ${node.id}`]})
    }
    const freezes: Partial<Record<NodeSignal, string>> = {STOP: 'pause', CONT: 'unpause'}
    const freeze = freezes[signal]
    await this.#docker(freeze ? [freeze, this.#container(node)] : ['kill', '--signal', signal, this.#container(node)])
  }

  async tail(node: PlannedNode, lines: number): Promise<string[]> {
    const {stdout, stderr} = await this.#docker(['logs', '--tail', String(lines), this.#container(node)])
    return `${stdout}${stderr}`.trimEnd().split('\n').slice(-lines)
  }

  async remove(): Promise<void> {
    await this.#compose(['down', '--volumes', '--remove-orphans'])
  }

  #render(): string {
    const {plan, folder} = this.#options
    return renderCompose(plan, plan.security?.tls ? {keystore: keystoreOf(folder).keystore} : {})
  }

  /** Rejects with ToolMissingError where there is no docker, no compose plug-in or no engine that answers. */
  async #checkEngine(): Promise<void> {
    try {
      await this.#docker(['compose', 'version'])
      await this.#docker(['info'])
    } catch (cause) {
      if (!(cause instanceof ToolFailedError)) throw cause
      throw new ToolMissingError(`Docker cannot be used here: ${cause.message}`, {cause, remedy: REMEDY})
    }
  }

  /** Compose's own name for the one container of a service. */
  #container(node: PlannedNode): string {
    return `${projectOf(this.#options.plan)}-${node.id}-1`
  }

  async #compose(args: readonly string[], how: DockerRun = {}): Promise<void> {
    await this.#docker(['compose', '--file', join(this.#options.folder, FILE), ...args], how)
  }

  /** A stopped run still has to stop its containers, so only what takes long ends with the run. */
  async #docker(args: readonly string[], {timeoutMs = COMMAND_MS, signal}: DockerRun = {}): Promise<ToolOutput> {
    return await runTool(this.#options.docker, args, {signal, timeoutMs, remedy: REMEDY})
  }
}
