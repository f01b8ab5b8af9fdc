import {Args, Flags} from '@oclif/core'
import {duration, endlessFlags} from '../../lib/cli/flags.ts'
import {checkGroup} from '../../lib/cli/names.ts'
import type {Column} from '../../lib/cli/table.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {given} from '../../lib/core/given.ts'
import type {Bus, BusAdmin} from '../../lib/core/ports/bus.ts'
import {type LagRow, viewGroups} from '../../lib/ops/groups.ts'
import {type GroupVerdict, verdictLine} from '../../lib/ops/lag-windows.ts'
import {watchLag} from '../../lib/ops/watch-lag.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

const COLUMNS: readonly Column<LagRow>[] = [
  {title: 'group', text: ({group}) => group},
  {title: 'topic', text: ({topic}) => topic},
  {title: 'partition', text: ({partition}) => String(partition), align: 'right'},
  {title: 'committed', text: ({committed}) => String(committed ?? 'none'), align: 'right'},
  {title: 'latest', text: ({latest}) => String(latest), align: 'right'},
  {title: 'lag', text: ({lag}) => String(lag), align: 'right'},
  {title: 'member', text: ({memberId}) => memberId ?? ''},
]
const NONE = 'no group has committed anything yet'

export default class GroupsLag extends TableCommand {
  static override summary = 'Show how far consumer groups are behind.'
  static override description =
    `Per partition: what the group has committed, where the log ends, and the records between. With --watch the groups are looked at again and
again and judged by how commits and lag move over the last ten looks, without thresholds, by the rules of Burrow: OK; WARN, moving but
not catching up; ERR where a partition has no more commits (STOP), is held at one place (STALL) or went back (REWIND). Nothing is judged before the tenth look.`
  static override examples = [
    {description: 'All groups, once', command: '<%= config.bin %> <%= command.id %> --bus kafka'},
    {
      description: 'One group until Ctrl-C, a line of JSON for each look',
      command: '<%= config.bin %> <%= command.id %> sink.store --watch --interval 5s --json',
    },
  ]
  static override args = {group: Args.string({description: 'The consumer group; default: all.'})}
  static override flags = {
    ...configFlags,
    watch: Flags.boolean({summary: 'Look again and again, and judge.', env: 'COINPIPE_WATCH'}),
    interval: duration({summary: 'With --watch: from one look to the next.', default: 5000, env: 'COINPIPE_INTERVAL'}),
    ...endlessFlags,
    count: Flags.integer({summary: 'With --watch: stop after this many looks, with exit code 0.', min: 1, env: 'COINPIPE_COUNT'}),
  }

  #watches = false

  async run(): Promise<readonly LagRow[] | readonly GroupVerdict[]> {
    const {args, flags, metadata} = await this.parse(GroupsLag)
    const {config, context} = await this.startWithConfig(flags, metadata)
    this.#watches = flags.watch
    return withBus(config, context, async (bus) => {
      if (args.group !== undefined) await checkGroup(bus, args.group, config.bus.kind)
      if (!flags.watch) return this.look(bus, args.group)
      let [looks, last]: [number, readonly GroupVerdict[]] = [0, []]
      const options = {intervalMs: flags.interval, ...given({group: args.group})}
      for await (const verdicts of watchLag(bus, options, context)) {
        await this.printVerdicts(verdicts)
        last = verdicts
        looks += 1
        if (looks === flags.count) break
      }
      return last
    })
  }

  /** While watching, each look is printed as it comes: the last one is not printed again. */
  override logJson(json: unknown): void {
    if (!this.#watches) super.logJson(json)
  }

  private async look(bus: Bus & BusAdmin, group: string | undefined): Promise<readonly LagRow[]> {
    const views = await viewGroups(bus, group === undefined ? await bus.listGroups() : [group])
    const rows = views.flatMap(({lag}) => lag)
    await this.print(rows, COLUMNS, NONE)
    return rows
  }

  private async printVerdicts(verdicts: readonly GroupVerdict[]): Promise<void> {
    if (this.jsonEnabled()) return this.write(`${JSON.stringify(verdicts)}\n`)
    for (const verdict of verdicts) await this.write(`${verdictLine(verdict)}\n`)
    await this.print(
      verdicts.flatMap(({partitions}) => partitions),
      [{title: 'status', text: ({status, complete}) => (complete < 1 ? '' : status)}, ...COLUMNS],
      NONE,
    )
  }
}
