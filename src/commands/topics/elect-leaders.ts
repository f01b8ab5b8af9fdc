import {Args} from '@oclif/core'
import {checkTopics} from '../../lib/cli/names.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {EXIT} from '../../lib/core/errors.ts'
import {type ElectionOutcome, electionFailures, electLeaders} from '../../lib/ops/balance.ts'
import {counted, partitionsText, percent} from '../../lib/ops/format.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class TopicsElectLeaders extends TableCommand {
  static override summary = 'Give partitions back to their preferred leaders.'
  static override description =
    `After a node was away, others lead its partitions and carry its load. Shows for each node how many partitions it leads, and how many of
those that name it first (its share), before and after. Takes nothing away: clients follow the new leaders by themselves. Ends with 1
where a preferred leader is down.`
  static override examples = [
    {description: 'All topics', command: '<%= config.bin %> <%= command.id %> --bus kafka'},
    {description: 'One topic, as JSON', command: '<%= config.bin %> <%= command.id %> market.trade --bus kafka --json'},
  ]
  static override args = {topics: Args.string({description: 'The topics; default: all.', multiple: true})}
  static override flags = {...configFlags}

  async run(): Promise<ElectionOutcome> {
    const {args, flags, metadata} = await this.parse(TopicsElectLeaders)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const outcome = await withBus(config, context, async (bus) => {
      const named = [...new Set(args.topics ?? [])]
      await checkTopics(bus, named, config.bus.kind)
      return electLeaders(bus, named.length > 0 ? named : await bus.listTopics(), context)
    })
    await this.printOutcome(outcome)
    if (outcome.elections.some(({error}) => error !== null)) this.exitWith(EXIT.wrong)
    return outcome
  }

  private async printOutcome({elections, before, after}: ElectionOutcome): Promise<void> {
    const failures = electionFailures(elections)
    for (const {error, partitions} of failures) {
      this.logToStderr(`${counted(partitions.length, 'partition')} kept the leader: ${error} (${partitionsText(partitions)})`)
    }
    if (failures.length > 0) this.logToStderr('see which node is down: coinpipe nodes --bus kafka')
    const elected = elections.filter(({error}) => error === null).length
    if (elections.length > 0) this.logToStderr(`${counted(elected, 'partition')} changed the leader`)
    else if (after.length > 0) this.logToStderr('every partition is led as preferred already')
    const share = (value: number | null | undefined) => (typeof value === 'number' ? percent(value) : '')
    const earlier = (node: number) => before.find((entry) => entry.node === node)
    await this.print(
      after,
      [
        {title: 'node', text: ({node}) => String(node), align: 'right'},
        {title: 'preferred', text: ({preferred}) => String(preferred), align: 'right'},
        {title: 'led before', text: ({node}) => String(earlier(node)?.leaders ?? 0), align: 'right'},
        {title: 'share before', text: ({node}) => share(earlier(node)?.preferredShare), align: 'right'},
        {title: 'led now', text: ({leaders}) => String(leaders), align: 'right'},
        {title: 'share now', text: ({preferredShare}) => share(preferredShare), align: 'right'},
      ],
      'there is one copy of everything: nobody to elect',
    )
  }
}
