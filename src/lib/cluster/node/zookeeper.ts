import type {Settings} from '../kafka/broker-settings.ts'
import {bracketed, type NodeSpec, PORTS, quorumOf} from './spec.ts'

/** zoo.cfg of one server. The data folder also needs a file `myid` with its number. */
export function zookeeperSettings({hosts, listen}: NodeSpec, data: string): Settings {
  const quorum = quorumOf(hosts)
  const {client, peer, election} = PORTS.zookeeper
  const servers = quorum.map((host, index) => [`server.${index + 1}`, `${bracketed(host)}:${peer}:${election}`])
  return {
    tickTime: 2000,
    initLimit: 10,
    syncLimit: 5,
    dataDir: data,
    clientPort: client,
    clientPortAddress: listen,
    'admin.enableServer': false,
    '4lw.commands.whitelist': 'srvr,ruok',
    'autopurge.snapRetainCount': 3,
    'autopurge.purgeInterval': 24,
    ...(quorum.length > 1 && {standaloneEnabled: false, ...Object.fromEntries(servers)}),
  }
}
