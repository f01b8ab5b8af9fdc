import {Flags} from '@oclif/core'
import {checkTopics} from '../../lib/cli/names.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {codeFlag, topicArg} from '../../lib/cli/topic-flags.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {checkDeadLetterTopic} from '../../lib/ops/dead-letters.ts'
import {counted} from '../../lib/ops/format.ts'
import {planRedrive, type RedriveRow, redrive} from '../../lib/ops/redrive.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export interface RedriveAnswer {
  readonly topic: string
  readonly executed: boolean
  /** Letters that were sent. */
  readonly sent: number
  readonly rows: readonly RedriveRow[]
}

export default class DlqRedrive extends TableCommand {
  static override summary = 'Send dead letters once more to where they came from.'
  static override description =
    `Only shows what would go, unless --execute is given. A letter goes as it was, with its attempts raised by one; all groups that read the topic get it
again. What went before stays, unless --again is given: a run that was interrupted goes on where it stopped. The letters stay where they are.`
  static override examples = [
    {description: 'What would go', command: '<%= config.bin %> <%= command.id %> market.trade.sink.store.dlq'},
    {
      description: 'One error code, to another topic',
      command:
        '<%= config.bin %> <%= command.id %> market.trade.sink.store.dlq --bus kafka --code COINPIPE_INVALID_RECORD --to my.repairs --execute',
    },
  ]
  static override args = {topic: topicArg}
  static override flags = {
    ...configFlags,
    code: codeFlag,
    to: Flags.string({summary: 'Topic that they go to; default: the one that each came from.', helpValue: '<topic>', env: 'COINPIPE_TO'}),
    again: Flags.boolean({summary: 'Also those that were sent before.', env: 'COINPIPE_AGAIN'}),
    execute: Flags.boolean({summary: 'Do it.', env: 'COINPIPE_EXECUTE'}),
  }

  async run(): Promise<RedriveAnswer> {
    const {args, flags, metadata} = await this.parse(DlqRedrive)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const {topic} = args
    const {code, to, again, execute} = flags
    const options = {topic, code, to, again}
    return withBus(config, context, async (bus) => {
      await checkTopics(bus, [topic], config.bus.kind, 'dlq')
      if (to !== undefined) await checkTopics(bus, [to], config.bus.kind)
      checkDeadLetterTopic(topic)
      const plan = await planRedrive(bus, options, context.signal)
      await this.printPlan(plan.rows)
      const sent = execute ? await redrive(bus, plan, options, context) : 0
      this.logToStderr(execute ? `sent ${counted(sent, 'letter')}` : hint(plan.rows))
      return {topic, executed: execute, sent, rows: plan.rows}
    })
  }

  private async printPlan(rows: readonly RedriveRow[]): Promise<void> {
    await this.print(
      rows,
      [
        {title: 'code', text: ({code}) => code},
        {title: 'to', text: ({to}) => to ?? '(unknown: --to)'},
        {title: 'go', text: ({records}) => String(records), align: 'right'},
        {title: 'went before', text: ({before}) => String(before), align: 'right'},
        {title: 'cannot go', text: ({unusable}) => String(unusable), align: 'right'},
      ],
      'there are no such letters',
    )
  }
}

function hint(rows: readonly RedriveRow[]): string {
  if (rows.some(({records}) => records > 0)) return 'nothing was sent; to do it, add --execute'
  return rows.some(({before}) => before > 0) ? 'all were sent before; to send them once more, add --again' : 'there is nothing to send'
}
