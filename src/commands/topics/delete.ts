import {Args} from '@oclif/core'
import {confirm} from '../../lib/cli/confirm.ts'
import {yesFlag} from '../../lib/cli/flags.ts'
import {checkTopics} from '../../lib/cli/names.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {counted} from '../../lib/ops/format.ts'
import {describeTopic} from '../../lib/ops/topics.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class TopicsDelete extends TableCommand {
  static override summary = 'Delete topics with all of their records.'
  static override description = 'Asks first. A topic that a running pipeline names comes back, empty, with its next record.'
  static override examples = [
    {description: 'One', command: '<%= config.bin %> <%= command.id %> my.events'},
    {description: 'Two, in a script', command: '<%= config.bin %> <%= command.id %> my.events my.clicks --bus kafka --yes'},
  ]
  static override args = {topics: Args.string({description: 'The topics.', required: true, multiple: true})}
  static override flags = {...configFlags, ...yesFlag}

  async run(): Promise<{readonly deleted: readonly string[]}> {
    const {args, flags, metadata} = await this.parse(TopicsDelete)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const topics = [...new Set(args.topics)]
    await withBus(config, context, async (bus) => {
      await checkTopics(bus, topics, config.bus.kind)
      const views = await Promise.all(topics.map((topic) => describeTopic(bus, topic)))
      const losses = views.map(({topic, records}) => `'${topic}' with ${counted(records, 'record')}`)
      await confirm(`Delete ${losses.join(', ')}?`, {yes: flags.yes, signal: context.signal})
      for (const topic of topics) {
        await bus.deleteTopic(topic)
        this.logToStderr(`deleted '${topic}'`)
      }
    })
    return {deleted: topics}
  }
}
