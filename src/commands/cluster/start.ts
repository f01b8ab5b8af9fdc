import {Args} from '@oclif/core'
import {BaseCommand} from '../../lib/cli/base-command.ts'
import {clusterFlag, duration} from '../../lib/cli/flags.ts'
import {ClusterService, type UpResult} from '../../lib/cluster/service.ts'

export default class ClusterStart extends BaseCommand {
  static override summary = 'Start one node again, on the data that it has, and wait until it is in sync.'
  static override description =
    'A broker is ready once it is registered, knows the others and is in sync for every partition that it keeps; a Cassandra node once all that run see one another up. One that runs already is only waited for.'
  static override examples = [
    {description: 'After a crash', command: '<%= config.bin %> <%= command.id %> kafka-1'},
    {description: 'With two minutes to catch up', command: '<%= config.bin %> <%= command.id %> kafka-1 --cluster kafka-zk --timeout 2m'},
  ]
  static override args = {node: Args.string({description: 'Its name, as cluster status shows it.', required: true})}
  static override flags = {
    ...clusterFlag,
    timeout: duration({summary: 'How long it may take to be in sync.', default: 180_000, env: 'COINPIPE_TIMEOUT'}),
  }

  async run(): Promise<UpResult> {
    const {args, flags} = await this.parse(ClusterStart)
    const context = this.start(flags)
    const service = new ClusterService(
      {dataDir: context.dataDir, say: (line) => this.logToStderr(line), show: (text) => context.status.setStatus(text)},
      context,
    )
    const result = await service.start(args.node, {cluster: flags.cluster, timeoutMs: flags.timeout})
    const how =
      result.started.length === 0 ? 'was running already, and is in sync' : `is in sync after ${(result.elapsedMs / 1000).toFixed(1)} s`
    if (!this.jsonEnabled()) this.log(`${args.node} of cluster '${result.status.name}' ${how}`)
    return result
  }
}
