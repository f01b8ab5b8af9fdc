import {Flags} from '@oclif/core'
import {confirm} from '../../lib/cli/confirm.ts'
import {UsageError} from '../../lib/cli/errors.ts'
import {yesFlag} from '../../lib/cli/flags.ts'
import {checkTopics} from '../../lib/cli/names.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {partitionFlag, topicArg} from '../../lib/cli/topic-flags.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {counted} from '../../lib/ops/format.ts'
import {parseTarget, type Target} from '../../lib/ops/target.ts'
import {planTrim, type TrimRow, trim} from '../../lib/ops/trim.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class TopicsTrim extends TableCommand {
  static override summary = 'Remove the oldest records of a topic.'
  static override description = 'Shows how many records go from each partition, and asks. Offsets of what stays do not change.'
  static override examples = [
    {description: 'What is older than two hours', command: '<%= config.bin %> <%= command.id %> market.trade --before 2h'},
    {
      description: 'One partition up to an offset, in a script',
      command: '<%= config.bin %> <%= command.id %> market.trade --bus kafka --partition 0 --before 120000 --yes',
    },
  ]
  static override args = {topic: topicArg}
  static override flags = {
    ...configFlags,
    before: Flags.custom<Target>({parse: async (text) => parseTarget(text, Date.now())})({
      summary: 'The first record that stays: an offset, or a time (2026-01-31T09:00:00Z, or how long ago: 2h).',
      helpValue: '<offset|time>',
      env: 'COINPIPE_BEFORE',
    }),
    all: Flags.boolean({summary: 'Remove all records.', exclusive: ['before'], env: 'COINPIPE_ALL'}),
    partition: partitionFlag,
    ...yesFlag,
  }

  async run(): Promise<readonly TrimRow[]> {
    const {args, flags, metadata} = await this.parse(TopicsTrim)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const before = flags.all ? ({kind: 'latest'} as const) : flags.before
    if (before === undefined) throw new UsageError('which records go is not said', {remedy: ['give --before or --all']})
    const {topic} = args
    return withBus(config, context, async (bus) => {
      await checkTopics(bus, [topic], config.bus.kind)
      const rows = await planTrim(bus, {topic, partition: flags.partition, before})
      await this.printPlan(rows)
      if (rows.length === 0) return rows
      const records = rows.reduce((sum, row) => sum + row.records, 0)
      await confirm(`Remove ${counted(records, 'record')} from '${topic}'?`, {yes: flags.yes, signal: context.signal})
      await trim(bus, rows)
      this.logToStderr(`removed ${counted(records, 'record')}`)
      return rows
    })
  }

  private async printPlan(rows: readonly TrimRow[]): Promise<void> {
    await this.print(
      rows,
      [
        {title: 'partition', text: ({partition}) => String(partition), align: 'right'},
        {title: 'earliest', text: ({earliest}) => String(earliest), align: 'right'},
        {title: 'then', text: ({before}) => String(before), align: 'right'},
        {title: 'records that go', text: ({records}) => String(records), align: 'right'},
      ],
      'there is nothing to remove',
    )
  }
}
