import {Args} from '@oclif/core'
import {confirm} from '../../lib/cli/confirm.ts'
import {UsageError} from '../../lib/cli/errors.ts'
import {yesFlag} from '../../lib/cli/flags.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {settingFlag} from '../../lib/cli/topic-flags.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {counted} from '../../lib/ops/format.ts'
import {planNodeChange, type SettingChange} from '../../lib/ops/nodes.ts'
import {parseSettings} from '../../lib/ops/settings.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class NodesAlter extends TableCommand {
  static override summary = 'Change settings of a node while it runs.'
  static override description =
    'Shows what it has now and what it will have, and asks. An empty value (--setting num.io.threads=) goes back to the default.'
  static override examples = [
    {
      description: 'More threads for requests on one broker',
      command: '<%= config.bin %> <%= command.id %> 1 --bus kafka --setting num.io.threads=6',
    },
    {
      description: 'Back to the default, in a script',
      command: '<%= config.bin %> <%= command.id %> 1 --bus kafka --setting num.io.threads= --yes',
    },
  ]
  static override args = {node: Args.string({description: 'Id of the node, as coinpipe nodes lists it.', required: true})}
  static override flags = {...configFlags, setting: settingFlag, ...yesFlag}

  async run(): Promise<readonly SettingChange[]> {
    const {args, flags, metadata} = await this.parse(NodesAlter)
    const {config, context} = await this.startWithConfig(flags, metadata)
    if (flags.setting === undefined) throw new UsageError('nothing to change', {remedy: ['give --setting']})
    const settings = parseSettings([flags.setting].flat())
    return withBus(config, context, async (bus) => {
      const changes = await planNodeChange(bus, args.node, settings)
      await this.print(changes, [
        {title: 'setting', text: ({name}) => name},
        {title: 'now', text: ({before}) => before ?? ''},
        {title: 'then', text: ({after}) => after ?? '(default)'},
      ])
      const question = `Change ${counted(changes.length, 'setting')} of node ${args.node}?`
      await confirm(question, {yes: flags.yes, signal: context.signal})
      await bus.alterNode(args.node, settings)
      this.logToStderr(`changed node ${args.node}`)
      return changes
    })
  }
}
