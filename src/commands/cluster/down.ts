import {Flags} from '@oclif/core'
import {BaseCommand} from '../../lib/cli/base-command.ts'
import {confirm} from '../../lib/cli/confirm.ts'
import {clusterFlag, duration, yesFlag} from '../../lib/cli/flags.ts'
import {ClusterService, type DownResult} from '../../lib/cluster/service.ts'

export default class ClusterDown extends BaseCommand {
  static override summary = 'Stop every node of a cluster, also of one that is half dead; its data stays unless --wipe.'
  static override description =
    'Brokers go before the ZooKeepers that they need. Each node is asked to leave in order; one that does not within --timeout (a broker without a quorum cannot) is ended by force.'
  static override examples = [
    {description: 'Stop it and keep its data', command: '<%= config.bin %> <%= command.id %>'},
    {description: 'Stop it and remove it, unasked', command: '<%= config.bin %> <%= command.id %> --cluster kafka --wipe --yes'},
  ]
  static override flags = {
    ...clusterFlag,
    ...yesFlag,
    wipe: Flags.boolean({summary: 'Remove its data, logs and settings too.', env: 'COINPIPE_WIPE'}),
    timeout: duration({summary: 'How long nodes may take to leave by themselves.', default: 15_000, env: 'COINPIPE_TIMEOUT'}),
  }

  async run(): Promise<DownResult> {
    const {flags} = await this.parse(ClusterDown)
    const context = this.start(flags)
    const service = new ClusterService({dataDir: context.dataDir}, context)
    const cluster = service.nameOf(flags.cluster)
    if (flags.wipe) await confirm(`Remove cluster '${cluster}' with its data?`, {yes: flags.yes, signal: context.signal})
    const result = await service.down({cluster, wipe: flags.wipe, timeoutMs: flags.timeout})
    if (!this.jsonEnabled()) this.log(describe(result))
    return result
  }
}

function describe({cluster, stopped, wiped}: DownResult): string {
  const forced = stopped.filter(({signal}) => signal === 'KILL').map(({id}) => id)
  const how = forced.length > 0 ? `, by force: ${forced.join(', ')}` : ''
  const nodes = stopped.length === 1 ? '1 node' : `${stopped.length} nodes`
  return `cluster '${cluster}' is down: ${nodes} stopped${how}${wiped ? '; its data is removed' : ''}`
}
