import {confirm} from '../../lib/cli/confirm.ts'
import {yesFlag} from '../../lib/cli/flags.ts'
import {checkTopics} from '../../lib/cli/names.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {topicArg} from '../../lib/cli/topic-flags.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {checkDeadLetterTopic} from '../../lib/ops/dead-letters.ts'
import {counted} from '../../lib/ops/format.ts'
import {planTrim, trim} from '../../lib/ops/trim.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export interface PurgeAnswer {
  readonly topic: string
  /** Letters that were removed. */
  readonly removed: number
}

export default class DlqPurge extends TableCommand {
  static override summary = 'Remove all dead letters of a topic.'
  static override description =
    'Asks first. The topic stays, and so does what is known of redriven letters. They also go by themselves, after seven days.'
  static override examples = [
    {description: 'Asks', command: '<%= config.bin %> <%= command.id %> market.trade.sink.store.dlq'},
    {description: 'In a script', command: '<%= config.bin %> <%= command.id %> market.trade.sink.store.dlq --bus kafka --yes'},
  ]
  static override args = {topic: topicArg}
  static override flags = {...configFlags, ...yesFlag}

  async run(): Promise<PurgeAnswer> {
    const {args, flags, metadata} = await this.parse(DlqPurge)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const {topic} = args
    const removed = await withBus(config, context, async (bus) => {
      await checkTopics(bus, [topic], config.bus.kind, 'dlq')
      checkDeadLetterTopic(topic)
      const rows = await planTrim(bus, {topic, before: {kind: 'latest'}})
      const letters = rows.reduce((sum, {records}) => sum + records, 0)
      if (letters === 0) return 0
      await confirm(`Remove ${counted(letters, 'dead letter')} from '${topic}'?`, {yes: flags.yes, signal: context.signal})
      await trim(bus, rows)
      return letters
    })
    this.logToStderr(removed === 0 ? 'there is nothing to remove' : `removed ${counted(removed, 'dead letter')}`)
    return {topic, removed}
  }
}
