import {Flags} from '@oclif/core'
import {UsageError} from '../../lib/cli/errors.ts'
import {checkGroup, checkTopics} from '../../lib/cli/names.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {groupArg, partitionFlag} from '../../lib/cli/topic-flags.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {counted} from '../../lib/ops/format.ts'
import {planReset, type ResetPlan, type ResetRow, reset} from '../../lib/ops/reset.ts'
import {parseTarget, type Target} from '../../lib/ops/target.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class GroupsReset extends TableCommand {
  static override summary = 'Set where a consumer group goes on.'
  static override description =
    `Only shows what would change, unless --execute is given. The group must have no running member. A time means the first record that the log
took then or later. A sink that keeps its own offsets beside its rows, as the embedded store does, goes on at the earlier of the two.`
  static override examples = [
    {description: 'What reading it all again would mean', command: '<%= config.bin %> <%= command.id %> sink.store --to earliest'},
    {
      description: 'Back by two hours in one topic',
      command: '<%= config.bin %> <%= command.id %> sink.store --bus kafka --to 2h --topic market.trade --execute',
    },
    {
      description: 'Pass over one record',
      command: '<%= config.bin %> <%= command.id %> my.group --shift 1 --topic my.events --partition 0 --execute',
    },
  ]
  static override args = {group: groupArg}
  static override flags = {
    ...configFlags,
    to: Flags.custom<Target>({parse: async (text) => parseTarget(text, Date.now())})({
      summary: 'earliest, latest, an offset, or a time (2026-01-31T09:00:00Z, or how long ago: 24h).',
      helpValue: '<place>',
      env: 'COINPIPE_TO',
    }),
    shift: Flags.integer({
      summary: 'So many records on from where the group is; back where negative.',
      exclusive: ['to'],
      env: 'COINPIPE_SHIFT',
    }),
    topic: Flags.string({summary: 'Only this topic; default: all that the group reads.', env: 'COINPIPE_TOPIC'}),
    partition: partitionFlag,
    execute: Flags.boolean({summary: 'Do it.', env: 'COINPIPE_EXECUTE'}),
  }

  async run(): Promise<ResetPlan> {
    const {args, flags, metadata} = await this.parse(GroupsReset)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const {group} = args
    const {topic, partition, shift, execute} = flags
    const to = shift === undefined ? flags.to : ({kind: 'shift', by: shift} as const)
    if (to === undefined) throw new UsageError('where the group should go on is not said', {remedy: ['give --to or --shift']})
    return withBus(config, context, async (bus) => {
      await checkGroup(bus, group, config.bus.kind)
      if (topic !== undefined) await checkTopics(bus, [topic], config.bus.kind)
      const rows = await planReset(bus, {group, to, topic, partition})
      // First, as it may be refused: what is printed then was done.
      if (execute) await reset(bus, group, rows)
      await this.printPlan(rows)
      this.logToStderr(execute ? `'${group}' goes on there` : 'nothing was changed; to do it, add --execute')
      const members = execute ? 0 : (await bus.describeGroup(group)).members.length
      if (members > 0) this.logToStderr(`'${group}' has ${counted(members, 'running member')}: stop them first`)
      return {group, executed: execute, partitions: rows}
    })
  }

  private async printPlan(rows: readonly ResetRow[]): Promise<void> {
    await this.print(rows, [
      {title: 'topic', text: ({topic}) => topic},
      {title: 'partition', text: ({partition}) => String(partition), align: 'right'},
      {title: 'current', text: ({current}) => String(current ?? 'none'), align: 'right'},
      {title: 'then', text: ({next}) => String(next), align: 'right'},
      {title: 'read again', text: ({again}) => String(again), align: 'right'},
      {title: 'skipped', text: ({skipped}) => String(skipped), align: 'right'},
    ])
  }
}
