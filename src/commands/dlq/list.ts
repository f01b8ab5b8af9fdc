import {TableCommand} from '../../lib/cli/table-command.ts'
import {utc} from '../../lib/cli/time.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {type DeadLetterSummary, deadLetterTopics, summarize} from '../../lib/ops/dead-letters.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class DlqList extends TableCommand {
  static override summary = 'List the topics of dead letters, with how many of each error code.'
  static override description = 'Records that a sink refused, and frames that never became records. All of them are read to be counted.'
  static override examples = [
    {description: 'On the embedded log', command: '<%= config.bin %> <%= command.id %>'},
    {description: 'On Kafka, as JSON', command: '<%= config.bin %> <%= command.id %> --bus kafka --json'},
  ]
  static override flags = {...configFlags}

  async run(): Promise<readonly DeadLetterSummary[]> {
    const {flags, metadata} = await this.parse(DlqList)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const summaries = await withBus(config, context, async (bus) => {
      const all: DeadLetterSummary[] = []
      for (const topic of await deadLetterTopics(bus)) all.push(await summarize(bus, topic, context.signal))
      return all
    })
    const time = (ms: number | null) => (ms === null ? '' : utc(ms * 1000))
    await this.print(
      summaries,
      [
        {title: 'topic', text: ({topic}) => topic},
        {title: 'letters', text: ({records}) => String(records), align: 'right'},
        {title: 'oldest', text: ({oldestMs}) => time(oldestMs)},
        {title: 'newest', text: ({newestMs}) => time(newestMs)},
        {title: 'codes', text: ({codes}) => codeText(codes)},
      ],
      'there are no topics of dead letters',
    )
    return summaries
  }
}

function codeText(codes: Readonly<Record<string, number>>): string {
  return Object.entries(codes)
    .map(([code, count]) => `${code} ${count}`)
    .join(', ')
}
