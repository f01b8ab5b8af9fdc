import {checkGroup} from '../../lib/cli/names.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {groupArg} from '../../lib/cli/topic-flags.ts'
import {configFlags} from '../../lib/config/flags.ts'
import type {GroupMember} from '../../lib/core/ports/bus.ts'
import {partitionsText} from '../../lib/ops/format.ts'
import {type GroupView, type LagRow, viewGroup} from '../../lib/ops/groups.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class GroupsDescribe extends TableCommand {
  static override summary = 'Show a consumer group: its members, and how far it is in each partition.'
  static override description =
    'The coordinator is the node that keeps the group, the generation a number that rises with each change of members, where the bus tells.'
  static override examples = [
    {description: 'A group of the embedded log', command: '<%= config.bin %> <%= command.id %> sink.store'},
    {description: 'A group of a Kafka cluster, as JSON', command: '<%= config.bin %> <%= command.id %> sink.store --bus kafka --json'},
  ]
  static override args = {group: groupArg}
  static override flags = {...configFlags}

  async run(): Promise<GroupView> {
    const {args, flags, metadata} = await this.parse(GroupsDescribe)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const view = await withBus(config, context, async (bus) => {
      await checkGroup(bus, args.group, config.bus.kind)
      return viewGroup(bus, args.group)
    })
    const {group, phase, generation, coordinator} = view
    const facts = [
      phase,
      ...(generation === null ? [] : [`generation ${generation}`]),
      ...(coordinator === null ? [] : [`coordinator ${coordinator}`]),
    ]
    if (!this.jsonEnabled()) this.logToStderr(`group '${group}' is ${facts.join(', ')}`)
    await this.printGroup(view)
    return view
  }

  private async printGroup({members, lag}: GroupView): Promise<void> {
    const noMembers = 'it has no running member'
    await this.print<GroupMember>(
      members,
      [
        {title: 'member', text: ({id}) => id},
        {title: 'instance', text: ({instanceId}) => instanceId ?? ''},
        {title: 'client', text: ({client}) => client},
        {title: 'host', text: ({host}) => host ?? ''},
        {title: 'partitions', text: ({partitions}) => partitionsText(partitions)},
      ],
      noMembers,
    )
    if (!this.jsonEnabled() && members.length > 0 && lag.length > 0) await this.write('\n')
    await this.print<LagRow>(
      lag,
      [
        {title: 'topic', text: ({topic}) => topic},
        {title: 'partition', text: ({partition}) => String(partition), align: 'right'},
        {title: 'committed', text: ({committed}) => String(committed ?? 'none'), align: 'right'},
        {title: 'latest', text: ({latest}) => String(latest), align: 'right'},
        {title: 'lag', text: ({lag}) => String(lag), align: 'right'},
        {title: 'member', text: ({memberId}) => memberId ?? ''},
      ],
      'it has committed nothing',
    )
  }
}
