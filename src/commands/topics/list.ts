import {TableCommand} from '../../lib/cli/table-command.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {limitText, retentionText} from '../../lib/ops/format.ts'
import {listTopics, type TopicSummary} from '../../lib/ops/topics.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class TopicsList extends TableCommand {
  static override summary = 'List the topics.'
  static override description =
    `Records are counted from the first to the last offset: on Kafka, marks of transactions and what compaction removed count too.
Under-replicated are partitions of which a copy is not in sync.`
  static override examples = [
    {description: 'Of the embedded log', command: '<%= config.bin %> <%= command.id %>'},
    {description: 'Of a Kafka cluster, as JSON', command: '<%= config.bin %> <%= command.id %> --bus kafka --json'},
  ]
  static override flags = {...configFlags}

  async run(): Promise<readonly TopicSummary[]> {
    const {flags, metadata} = await this.parse(TopicsList)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const topics = await withBus(config, context, listTopics)
    await this.print(
      topics,
      [
        {title: 'topic', text: ({topic}) => topic},
        {title: 'partitions', text: ({partitions}) => String(partitions), align: 'right'},
        {title: 'replicas', text: ({replicas}) => String(replicas), align: 'right'},
        {title: 'records', text: ({records}) => String(records), align: 'right'},
        {title: 'retention', text: ({retentionMs}) => retentionText(retentionMs), align: 'right'},
        {title: 'size limit', text: ({retentionBytes}) => limitText(retentionBytes), align: 'right'},
        {title: 'under-replicated', text: ({underReplicated}) => String(underReplicated), align: 'right'},
      ],
      'there is no topic yet',
    )
    return topics
  }
}
