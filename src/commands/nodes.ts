import {TableCommand} from '../lib/cli/table-command.ts'
import {configFlags} from '../lib/config/flags.ts'
import type {BusNode} from '../lib/core/ports/bus.ts'
import {roundBytes} from '../lib/ops/format.ts'
import {withBus} from '../lib/pipeline/bus.ts'

export default class Nodes extends TableCommand {
  static override summary = 'List the nodes of the bus: Kafka brokers, or the one of the embedded log.'
  static override description =
    `Which is the active controller, and for each node how many partitions it leads, holds, and holds without being in sync, and what they take
on its disk. The controller of a KRaft cluster is the leader of its quorum; a controller that is no broker is
listed too, and so is a node that is down, as long as it holds partitions.`
  static override examples = [
    {description: 'Of a Kafka cluster', command: '<%= config.bin %> <%= command.id %> --bus kafka --brokers 127.0.0.21:9092'},
    {description: 'As JSON', command: '<%= config.bin %> <%= command.id %> --json'},
  ]
  static override flags = {...configFlags}

  async run(): Promise<readonly BusNode[]> {
    const {flags, metadata} = await this.parse(Nodes)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const nodes = await withBus(config, context, (bus) => bus.nodes())
    await this.print(nodes, [
      {title: 'node', text: ({id}) => id, align: 'right'},
      {title: 'address', text: ({address}) => address ?? 'unknown'},
      {title: 'state', text: ({alive}) => (alive ? 'up' : 'down')},
      {title: 'controller', text: ({controller}) => (controller ? 'active' : '')},
      {title: 'rack', text: ({rack}) => rack ?? ''},
      {title: 'version', text: ({version}) => version ?? ''},
      {title: 'leads', text: ({leaders}) => String(leaders), align: 'right'},
      {title: 'holds', text: ({replicas}) => String(replicas), align: 'right'},
      {title: 'out of sync', text: ({outOfSync}) => String(outOfSync), align: 'right'},
      {title: 'disk', text: ({diskBytes}) => (diskBytes === null ? 'unknown' : roundBytes(diskBytes)), align: 'right'},
    ])
    return nodes
  }
}
