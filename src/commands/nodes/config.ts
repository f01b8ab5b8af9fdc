import {Args, Flags} from '@oclif/core'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {configFlags} from '../../lib/config/flags.ts'
import type {NodeSetting} from '../../lib/core/ports/bus.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class NodesConfig extends TableCommand {
  static override summary = 'Show the settings of a node.'
  static override description =
    'Where a value is not what the server has without any configuration, that is shown beside it. Marks what only a restart changes. Secrets are not shown.'
  static override examples = [
    {description: 'What a broker has that is not the default', command: '<%= config.bin %> <%= command.id %> 1 --bus kafka --changed'},
    {description: 'All settings, as JSON', command: '<%= config.bin %> <%= command.id %> 1 --bus kafka --json'},
  ]
  static override args = {node: Args.string({description: 'Id of the node, as coinpipe nodes lists it.', required: true})}
  static override flags = {
    ...configFlags,
    changed: Flags.boolean({summary: 'Only what differs from the default.', env: 'COINPIPE_CHANGED'}),
  }

  async run(): Promise<readonly NodeSetting[]> {
    const {args, flags, metadata} = await this.parse(NodesConfig)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const all = await withBus(config, context, (bus) => bus.nodeSettings(args.node))
    const settings = flags.changed ? all.filter(({isDefault}) => !isDefault) : all
    await this.print(
      settings,
      [
        {title: 'setting', text: ({name}) => name},
        {title: 'value', text: ({value}) => value ?? '(secret)'},
        {title: 'default', text: ({isDefault, defaultValue}) => (isDefault ? '' : defaultValue || 'unset')},
        {title: 'changed by', text: ({readOnly}) => (readOnly ? 'a restart' : '')},
      ],
      'every setting is the default',
    )
    return settings
  }
}
