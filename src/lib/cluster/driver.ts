import type {ProcessIdentity} from '../core/process-identity.ts'
import type {PlannedNode} from './plan.ts'

export const SIGNALS = ['TERM', 'KILL', 'STOP', 'CONT', 'INT'] as const
export type NodeSignal = (typeof SIGNALS)[number]

/** A node that runs, as its driver sees it now. */
export interface NodeProcess {
  /** Null where the process is not one of this machine (a container inside a virtual machine). */
  readonly pid: number | null
  readonly startedAtMs: number
  readonly rssBytes: number | null
  /** Stopped by SIGSTOP or `docker pause`: it is there, and does nothing. */
  readonly paused: boolean
}

/** What a driver wants to be kept in the state file, to know its node again: the jvm driver its process, the compose driver nothing. */
export interface NodeHandle {
  readonly process: ProcessIdentity | null
  readonly startedAtMs: number
}

/**
 * Runs the nodes of one cluster, without knowing what they serve. One object for one cluster: its plan and folder are given to whoever
 * makes it. Readiness is not its business.
 */
export interface ClusterDriver {
  /** Gets what the cluster is made of and takes long only once: jars, images. Touches nothing of the cluster itself. `say` is told what takes long. */
  fetch(say: (line: string) => void): Promise<void>
  /** Makes in the cluster's folder what its nodes need before their first start. Safe to call again. After `fetch`. */
  prepare(): Promise<void>
  /** Starts a node that does not run; resolves once its process runs, which is before it serves. */
  start(node: PlannedNode): Promise<NodeHandle>
  /** Null where the node does not run, or its pid belongs to another process by now. */
  inspect(node: PlannedNode, handle: NodeHandle | null): Promise<NodeProcess | null>
  /** Sends a signal to a node that runs; resolves once it is sent. Never signals a process that is not the one that was started. */
  signal(node: PlannedNode, handle: NodeHandle | null, signal: NodeSignal): Promise<void>
  /** The last lines that the node wrote. */
  tail(node: PlannedNode, lines: number): Promise<string[]>
  /** Removes what the nodes leave outside the cluster's folder (containers, volumes). All are down by now. */
  remove(): Promise<void>
}
