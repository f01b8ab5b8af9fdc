import {BaseCommand} from '../../lib/cli/base-command.ts'
import {clusterFlag} from '../../lib/cli/flags.ts'
import {formatTable} from '../../lib/cli/table.ts'
import {ClusterService} from '../../lib/cluster/service.ts'
import type {ClusterStatus, NodeStatus} from '../../lib/cluster/status.ts'
import {EXIT} from '../../lib/core/errors.ts'

const MIB = 2 ** 20

export default class ClusterStatusCommand extends BaseCommand {
  static override summary = 'Show the nodes of the local clusters: what runs, where, since when, and who is the active controller.'
  static override description =
    'Ends with 0 where every cluster is whole: all nodes up, every partition in sync, a controller there; all Cassandra nodes see one another up. Else with 1: broken (it says what is missing), or stopped by cluster down.'
  static override examples = [
    {description: 'All clusters of this user', command: '<%= config.bin %> <%= command.id %>'},
    {description: 'One of them, for a script', command: '<%= config.bin %> <%= command.id %> --cluster kafka --json'},
  ]
  static override flags = {...clusterFlag}

  async run(): Promise<readonly ClusterStatus[]> {
    const {flags} = await this.parse(ClusterStatusCommand)
    const context = this.start(flags)
    const clusters = await new ClusterService({dataDir: context.dataDir}, context).status(flags.cluster)
    if (!this.jsonEnabled() && clusters.length > 0)
      await this.write(clusters.map((cluster) => `${describe(cluster).join('\n')}\n`).join('\n'))
    if (clusters.length === 0) this.logToStderr('there is no cluster; make one: coinpipe cluster up kafka')
    if (clusters.some(({state}) => state !== 'whole')) this.exitWith(EXIT.wrong)
    return clusters
  }
}

function describe({name, kind, version, driver, state, problems, nodes}: ClusterStatus): string[] {
  return [
    `cluster '${name}' (${kind} ${version}, ${driver}): ${state}`,
    ...formatTable<NodeStatus>(nodes, [
      {title: 'node', text: ({id}) => id},
      {title: 'roles', text: ({roles}) => roles.join(',')},
      {title: 'address', text: ({address}) => address},
      {title: 'pid', text: ({pid}) => String(pid ?? '-'), align: 'right'},
      {title: 'state', text: ({state}) => state},
      {title: 'uptime', text: ({uptimeMs}) => (uptimeMs === null ? '-' : uptime(uptimeMs)), align: 'right'},
      {title: 'memory', text: ({rssBytes}) => (rssBytes === null ? '-' : `${Math.round(rssBytes / MIB)} MiB`), align: 'right'},
      {title: 'leads', text: ({active, roles}) => (active ? (roles.includes('zookeeper') ? 'leader' : 'controller') : '')},
    ]),
    ...problems.map((problem) => `! ${problem}`),
  ]
}

/** The two largest units: `3d 4h`, `5m 2s`. */
function uptime(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([value]) => value > 0)
  return (first < 0 ? parts.slice(-1) : parts.slice(first, first + 2)).map(([value, unit]) => `${value}${unit}`).join(' ')
}
