import type {ClusterHealth, NodeHealth} from '../health.ts'
import {clientPort, type PlannedNode} from '../plan.ts'
import {servesCql} from './cql-probe.ts'
import {type NodeView, type Sight, viewOf} from './view.ts'

/** What was learnt of a node: its view of the others; only whether it serves; or why it does not answer. */
export type Asked = NodeView | boolean | Error

/**
 * Asks each of the running nodes whether it serves and, once all do, what it thinks of the others; then judges. Until then, which is most of a start, they have
 * better things to do.
 */
export async function cassandraHealth(running: readonly PlannedNode[], timeoutMs: number): Promise<ClusterHealth> {
  const serving = await askEach(running, async (node) => await servesCql(node.host, clientPort(node), timeoutMs))
  if ([...serving.values()].some((answer) => answer !== true)) return judgeNodes(running, serving)
  const others = (node: PlannedNode) => running.filter(({id}) => id !== node.id)
  return judgeNodes(running, await askEach(running, async (node) => await viewOf(node, others(node), timeoutMs)))
}

async function askEach(nodes: readonly PlannedNode[], ask: (node: PlannedNode) => Promise<Asked>): Promise<Map<string, Asked>> {
  return new Map(await Promise.all(nodes.map(async (node) => [node.id, await ask(node).catch((error: Error) => error)] as const)))
}

/**
 * Whole is a node that serves, sees every other running node up and normal, is seen so by those that serve, and has the same tables as they have. So one that is
 * started is whole only once the others, too, write to it again.
 */
export function judgeNodes(running: readonly PlannedNode[], views: ReadonlyMap<string, Asked>): ClusterHealth {
  return new Map(running.map((node): [string, NodeHealth] => [node.id, judge(node, running, views)]))
}

function judge(node: PlannedNode, running: readonly PlannedNode[], views: ReadonlyMap<string, Asked>): NodeHealth {
  const view = views.get(node.id)
  const lacking = (serving: boolean, problem: string): NodeHealth => ({serving, active: false, problem})
  if (view instanceof Error) return lacking(false, `${node.id} does not answer: ${view.message}`)
  if (view === true) return {serving: true, active: false, problem: null}
  if (!isView(view)) return lacking(false, `${node.id} does not serve CQL yet`)
  for (const other of running) {
    if (other.id === node.id) continue
    const theirs = views.get(other.id)
    const problem =
      describe(node, view.sights.get(other.host), other) ??
      (isView(theirs) ? (describe(other, theirs.sights.get(node.host), node) ?? differing(node, view, other, theirs)) : null)
    if (problem !== null) return lacking(true, problem)
  }
  return {serving: true, active: false, problem: null}
}

function isView(asked: Asked | undefined): asked is NodeView {
  return asked !== undefined && typeof asked !== 'boolean' && !(asked instanceof Error)
}

function describe({id}: PlannedNode, sight: Sight | undefined, other: PlannedNode): string | null {
  if (sight === 'up') return null
  if (sight === 'down') return `${id} does not see ${other.id} up`
  if (sight === 'no answer') return `${id} gets no answer from ${other.id}`
  if (sight === 'joining') return `${id} waits for ${other.id} to join`
  return `${id} does not know ${other.id} yet`
}

function differing(node: PlannedNode, view: NodeView, other: PlannedNode, theirs: NodeView): string | null {
  if (view.schemaVersion === theirs.schemaVersion) return null
  const [first, second] = [node.id, other.id].sort()
  return `${first} and ${second} do not agree on the tables yet`
}
