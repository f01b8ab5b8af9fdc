import type {GroupDescription, GroupPhase} from '../core/ports/bus.ts'
import type {GroupState} from './group-state.ts'

/** What a log that keeps its groups itself says about one. */
export function describeGroup(group: string, state: GroupState): GroupDescription {
  const partitionsOf = (id: string) => state.holdings.filter(({owner}) => owner === id).map(({topic, partition}) => ({topic, partition}))
  const members = state.members.map(({id, instanceId, process}) => ({
    id,
    instanceId,
    client: `pid ${process.pid}`,
    host: null,
    partitions: partitionsOf(id),
  }))
  return {group, generation: state.generation, phase: phaseOf(state), coordinator: null, members}
}

function phaseOf({members, holdings}: GroupState): GroupPhase {
  if (members.length === 0) return 'empty'
  return holdings.some(({owner, target}) => owner !== target) ? 'rebalancing' : 'stable'
}
