import {Flags} from '@oclif/core'
import {checkTopics} from '../../lib/cli/names.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {utc} from '../../lib/cli/time.ts'
import {codeFlag, topicArg} from '../../lib/cli/topic-flags.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {checkDeadLetterTopic, newestLetters} from '../../lib/ops/dead-letters.ts'
import {sourceText, type ViewedLetter, valueText, viewLetter} from '../../lib/ops/view-letter.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class DlqShow extends TableCommand {
  static override summary = 'Show the newest dead letters of a topic.'
  static override description =
    'Oldest of them first: why each was refused, how often it was tried, and where it came from. --json has them in full.'
  static override examples = [
    {description: 'The last ten', command: '<%= config.bin %> <%= command.id %> market.trade.sink.store.dlq --last 10'},
    {
      description: 'One error code, in full',
      command: '<%= config.bin %> <%= command.id %> ingest.upbit.dlq --bus kafka --code COINPIPE_INVALID_RECORD --json',
    },
  ]
  static override args = {topic: topicArg}
  static override flags = {
    ...configFlags,
    last: Flags.integer({summary: 'How many.', min: 1, max: 10_000, default: 50, env: 'COINPIPE_LAST'}),
    code: codeFlag,
  }

  async run(): Promise<readonly ViewedLetter[]> {
    const {args, flags, metadata} = await this.parse(DlqShow)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const letters = await withBus(config, context, async (bus) => {
      await checkTopics(bus, [args.topic], config.bus.kind, 'dlq')
      checkDeadLetterTopic(args.topic)
      return newestLetters(bus, args.topic, flags, context.signal)
    })
    const viewed = letters.map(viewLetter)
    await this.print(
      viewed,
      [
        {title: 'time', text: ({timestampMs}) => utc(timestampMs * 1000)},
        {title: 'offset', text: ({partition, offset}) => `${partition}:${offset}`, align: 'right'},
        {title: 'code', text: ({code}) => code},
        {title: 'attempts', text: ({attempts}) => String(attempts ?? ''), align: 'right'},
        {title: 'from', text: sourceText},
        {title: 'reason', text: ({reason}) => reason ?? ''},
        {title: 'value', text: valueText},
      ],
      'there are no such letters',
    )
    return viewed
  }
}
