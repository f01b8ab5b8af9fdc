import {TableCommand} from '../../lib/cli/table-command.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {type GroupSummary, summarizeGroup, viewGroups} from '../../lib/ops/groups.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class GroupsList extends TableCommand {
  static override summary = 'List the consumer groups.'
  static override description =
    'A group that is empty has no running member; its offsets are kept. Lag is in records, over all of its partitions.'
  static override examples = [
    {description: 'Of the embedded log', command: '<%= config.bin %> <%= command.id %>'},
    {description: 'Of a Kafka cluster, as JSON', command: '<%= config.bin %> <%= command.id %> --bus kafka --json'},
  ]
  static override flags = {...configFlags}

  async run(): Promise<readonly GroupSummary[]> {
    const {flags, metadata} = await this.parse(GroupsList)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const views = await withBus(config, context, async (bus) => viewGroups(bus, await bus.listGroups()))
    const groups = views.map(summarizeGroup)
    await this.print(
      groups,
      [
        {title: 'group', text: ({group}) => group},
        {title: 'phase', text: ({phase}) => phase},
        {title: 'members', text: ({members}) => String(members), align: 'right'},
        {title: 'partitions', text: ({partitions}) => String(partitions), align: 'right'},
        {title: 'lag', text: ({lag}) => String(lag), align: 'right'},
      ],
      'there is no group yet',
    )
    return groups
  }
}
