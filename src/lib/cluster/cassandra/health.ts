import type {ClusterHealth, NodeHealth} from '../health.ts'
import type {PlannedNode} from '../plan.ts'
import {type NodeView, type Sight, viewOf} from './view.ts'

/** What was learnt of a node: its view of the others, null while it does not serve, or why it does not answer. */
export type Asked = NodeView | Error | null

/** Asks each of the running nodes what it thinks of the others that run, and judges. */
export async function cassandraHealth(running: readonly PlannedNode[], timeoutMs: number): Promise<ClusterHealth> {
  const views = new Map<string, Asked>()
  await Promise.all(
    running.map(async (node) => {
      const others = running.filter(({id}) => id !== node.id)
      views.set(node.id, await viewOf(node, others, timeoutMs).catch((error: Error) => error))
    }),
  )
  return judgeNodes(running, views)
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
  if (!view) return lacking(false, `${node.id} does not serve CQL yet`)
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
  return asked !== null && asked !== undefined && !(asked instanceof Error)
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
