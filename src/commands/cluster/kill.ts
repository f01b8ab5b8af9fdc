import {Args, Flags} from '@oclif/core'
import {BaseCommand} from '../../lib/cli/base-command.ts'
import {clusterFlag, duration} from '../../lib/cli/flags.ts'
import {SIGNALS} from '../../lib/cluster/driver.ts'
import {ClusterService, type KillResult} from '../../lib/cluster/service.ts'

export default class ClusterKill extends BaseCommand {
  static override summary = 'Send a signal to one node, and see that it took hold.'
  static override description =
    `KILL ends it at once, as a crash would; TERM and INT ask it to leave in order; STOP freezes it, CONT lets it go on.
Ends once the node is gone, frozen or going on. A process that is not the one that was started is never signalled.`
  static override examples = [
    {description: 'Crash a broker', command: '<%= config.bin %> <%= command.id %> kafka-1'},
    {description: 'Freeze a ZooKeeper', command: '<%= config.bin %> <%= command.id %> zookeeper-2 --cluster kafka-zk --signal STOP'},
  ]
  static override args = {node: Args.string({description: 'Its name, as cluster status shows it.', required: true})}
  static override flags = {
    ...clusterFlag,
    signal: Flags.option({summary: 'What to send.', options: SIGNALS, default: 'KILL' as const, env: 'COINPIPE_SIGNAL'})(),
    timeout: duration({summary: 'How long the node may take to obey.', default: 30_000, env: 'COINPIPE_TIMEOUT'}),
  }

  async run(): Promise<KillResult> {
    const {args, flags} = await this.parse(ClusterKill)
    const context = this.start(flags)
    const result = await new ClusterService({dataDir: context.dataDir}, context).kill(args.node, flags.signal, {
      cluster: flags.cluster,
      timeoutMs: flags.timeout,
    })
    const {cluster, node, pid, signal, elapsedMs} = result
    if (!this.jsonEnabled()) this.log(`${node} of cluster '${cluster}' (pid ${pid ?? '-'}): SIG${signal} took hold after ${elapsedMs} ms`)
    return result
  }
}
