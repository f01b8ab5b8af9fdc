import {confirm} from '../../lib/cli/confirm.ts'
import {UsageError} from '../../lib/cli/errors.ts'
import {yesFlag} from '../../lib/cli/flags.ts'
import {checkTopics} from '../../lib/cli/names.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {limitFlags, settingFlag, topicArg} from '../../lib/cli/topic-flags.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {given} from '../../lib/core/given.ts'
import {keepsLess} from '../../lib/ops/change-topic.ts'
import {parseSettings} from '../../lib/ops/settings.ts'
import {describeTopic, type TopicView} from '../../lib/ops/topics.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class TopicsAlter extends TableCommand {
  static override summary = 'Change what a topic keeps, and its settings.'
  static override description =
    `What is not given stays. An empty setting (--setting max.message.bytes=) goes back to the default of the nodes. Asks where the topic would
keep less than now, for then records may go at once. The embedded log has retention only.`
  static override examples = [
    {description: 'Keep records for a week', command: '<%= config.bin %> <%= command.id %> market.trade --retention 7d'},
    {
      description: 'Larger records, and the default for another setting',
      command: '<%= config.bin %> <%= command.id %> market.book --bus kafka --setting max.message.bytes=4194304 --setting segment.ms=',
    },
  ]
  static override args = {topic: topicArg}
  static override flags = {...configFlags, ...limitFlags, setting: settingFlag, ...yesFlag}

  async run(): Promise<TopicView> {
    const {args, flags, metadata} = await this.parse(TopicsAlter)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const {retention: retentionMs, 'retention-bytes': retentionBytes} = flags
    const settings = flags.setting === undefined ? undefined : parseSettings([flags.setting].flat())
    const changes = given({retentionMs, retentionBytes, settings})
    if (Object.keys(changes).length === 0) {
      throw new UsageError('nothing to change', {remedy: ['give --retention, --retention-bytes or --setting']})
    }
    const topic = await withBus(config, context, async (bus) => {
      await checkTopics(bus, [args.topic], config.bus.kind)
      const now = await describeTopic(bus, args.topic)
      const question = `Keep less of '${args.topic}' than now? Of its ${now.records} records some may go at once.`
      if (keepsLess(now, changes)) await confirm(question, {yes: flags.yes, signal: context.signal})
      await bus.alterTopic(args.topic, changes)
      return describeTopic(bus, args.topic)
    })
    this.logToStderr(`changed '${topic.topic}'`)
    return topic
  }
}
