import {checkTopics} from '../../lib/cli/names.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {topicArg} from '../../lib/cli/topic-flags.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {limitText, retentionText} from '../../lib/ops/format.ts'
import {describeTopic, type PartitionView, type TopicView} from '../../lib/ops/topics.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class TopicsDescribe extends TableCommand {
  static override summary = 'Show a topic: what it keeps, its settings, and its partitions.'
  static override description =
    'Leader, replicas and in-sync replicas are node ids; the first replica is the preferred leader. The embedded log has one copy and no node ids.'
  static override examples = [
    {description: 'A topic of the embedded log', command: '<%= config.bin %> <%= command.id %> market.trade'},
    {description: 'A topic of a Kafka cluster, as JSON', command: '<%= config.bin %> <%= command.id %> market.trade --bus kafka --json'},
  ]
  static override args = {topic: topicArg}
  static override flags = {...configFlags}

  async run(): Promise<TopicView> {
    const {args, flags, metadata} = await this.parse(TopicsDescribe)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const topic = await withBus(config, context, async (bus) => {
      await checkTopics(bus, [args.topic], config.bus.kind)
      return describeTopic(bus, args.topic)
    })
    await this.printTopic(topic)
    return topic
  }

  private async printTopic({topic, replicas, retentionMs, retentionBytes, settings, partitions}: TopicView): Promise<void> {
    const facts = [
      ['topic', topic],
      ['replicas', String(replicas)],
      ['retention', retentionText(retentionMs)],
      ['size limit', limitText(retentionBytes)],
      ...Object.entries(settings),
    ]
    await this.print(facts, [
      {title: 'setting', text: ([name = '']) => name},
      {title: 'value', text: ([, value = '']) => value},
    ])
    if (!this.jsonEnabled()) await this.write('\n')
    await this.print<PartitionView>(partitions, [
      {title: 'partition', text: ({partition}) => String(partition), align: 'right'},
      {title: 'earliest', text: ({earliest}) => String(earliest), align: 'right'},
      {title: 'latest', text: ({latest}) => String(latest), align: 'right'},
      {title: 'records', text: ({earliest, latest}) => String(latest - earliest), align: 'right'},
      {title: 'leader', text: ({leader, replicas}) => (replicas.length === 0 ? '' : String(leader ?? 'none')), align: 'right'},
      {title: 'replicas', text: ({replicas}) => replicas.join(',')},
      {title: 'in sync', text: ({isr}) => isr.join(',')},
      {title: '', text: ({underReplicated}) => (underReplicated ? 'under-replicated' : '')},
    ])
  }
}
