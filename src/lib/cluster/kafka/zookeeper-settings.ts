import {type ClusterPlan, clientPort, nodesOf, type PlannedNode} from '../plan.ts'
import type {Settings} from './broker-settings.ts'

/** zoo.cfg of one ZooKeeper. Its data folder also needs a file `myid` with its number. */
export function zookeeperSettings(plan: ClusterPlan, node: PlannedNode, data: string): Settings {
  const all = nodesOf(plan, 'zookeeper')
  const servers = all.map(({number, host, ports}) => [`server.${number}`, `${host}:${ports.peer}:${ports.election}`])
  return {
    // Short ticks, so that brokers may ask for short sessions (at least two ticks).
    tickTime: 500,
    initLimit: 20,
    syncLimit: 10,
    minSessionTimeout: 1000,
    maxSessionTimeout: 40_000,
    dataDir: data,
    clientPort: clientPort(node),
    clientPortAddress: node.host,
    'admin.enableServer': false,
    '4lw.commands.whitelist': 'srvr',
    'autopurge.purgeInterval': 1,
    ...(all.length > 1 && {standaloneEnabled: false, ...Object.fromEntries(servers)}),
  }
}
