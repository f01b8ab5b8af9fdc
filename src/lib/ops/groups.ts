import type {BusAdmin, GroupDescription, GroupLag, GroupPhase} from '../core/ports/bus.ts'
import {mapLimited} from './map-limited.ts'

const GROUPS_AT_ONCE = 8

/** One partition of a group, with the member that reads it: the content of `kafka-consumer-groups --describe`. */
export interface LagRow extends GroupLag {
  readonly group: string
  /** All three null where no member has the partition now. */
  readonly memberId: string | null
  readonly clientId: string | null
  readonly host: string | null
}

/** What `groups describe` answers. */
export interface GroupView extends GroupDescription {
  /** Partitions that it has committed or reads now. */
  readonly lag: readonly LagRow[]
}

/** One line of `groups list`. */
export interface GroupSummary {
  readonly group: string
  readonly phase: GroupPhase
  readonly members: number
  readonly partitions: number
  /** Records of all partitions that it has not committed. */
  readonly lag: number
}

/** The groups in the order of their names. */
export async function viewGroups(admin: BusAdmin, groups: readonly string[]): Promise<readonly GroupView[]> {
  return mapLimited([...groups].sort(), GROUPS_AT_ONCE, (group) => viewGroup(admin, group))
}

export async function viewGroup(admin: BusAdmin, group: string): Promise<GroupView> {
  const [description, lags] = await Promise.all([admin.describeGroup(group), admin.lag(group)])
  return {...description, lag: lagRows(description, lags)}
}

export function summarizeGroup({group, phase, members, lag}: GroupView): GroupSummary {
  return {group, phase, members: members.length, partitions: lag.length, lag: totalLag(lag)}
}

export function totalLag(rows: readonly LagRow[]): number {
  return rows.reduce((sum, {lag}) => sum + lag, 0)
}

function lagRows({group, members}: GroupDescription, lags: readonly GroupLag[]): readonly LagRow[] {
  const holders = new Map(members.flatMap((member) => member.partitions.map(({topic, partition}) => [`${topic}/${partition}`, member])))
  return lags.map(({topic, partition, committed, latest, lag}) => {
    const member = holders.get(`${topic}/${partition}`)
    const holder = {memberId: member?.id ?? null, clientId: member?.client ?? null, host: member?.host ?? null}
    return {group, topic, partition, committed, latest, lag, ...holder}
  })
}
