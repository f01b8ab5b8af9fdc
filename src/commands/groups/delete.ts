import {confirm} from '../../lib/cli/confirm.ts'
import {yesFlag} from '../../lib/cli/flags.ts'
import {checkGroup} from '../../lib/cli/names.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {groupArg} from '../../lib/cli/topic-flags.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {counted} from '../../lib/ops/format.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class GroupsDelete extends TableCommand {
  static override summary = 'Delete a consumer group and its offsets.'
  static override description =
    'Asks first. The group must have no running member. If it is started again, it begins as a new one: at the start of the topics, or at their end.'
  static override examples = [
    {description: 'Asks', command: '<%= config.bin %> <%= command.id %> my.group'},
    {description: 'In a script', command: '<%= config.bin %> <%= command.id %> my.group --bus kafka --yes'},
  ]
  static override args = {group: groupArg}
  static override flags = {...configFlags, ...yesFlag}

  async run(): Promise<{readonly deleted: string}> {
    const {args, flags, metadata} = await this.parse(GroupsDelete)
    const {config, context} = await this.startWithConfig(flags, metadata)
    await withBus(config, context, async (bus) => {
      await checkGroup(bus, args.group, config.bus.kind)
      const committed = (await bus.lag(args.group)).filter((lag) => lag.committed !== null).length
      const question = `Delete group '${args.group}' and its offsets in ${counted(committed, 'partition')}?`
      await confirm(question, {yes: flags.yes, signal: context.signal})
      await bus.deleteGroup(args.group)
    })
    this.logToStderr(`deleted '${args.group}'`)
    return {deleted: args.group}
  }
}
