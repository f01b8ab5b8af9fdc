import {Flags} from '@oclif/core'
import {confirm} from '../../lib/cli/confirm.ts'
import {yesFlag} from '../../lib/cli/flags.ts'
import {checkTopics} from '../../lib/cli/names.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {topicArg} from '../../lib/cli/topic-flags.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {type AddedPartitions, checkMore, describeKeyMoves, findKeyMoves} from '../../lib/ops/key-moves.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class TopicsAddPartitions extends TableCommand {
  static override summary = 'Give a topic more partitions.'
  static override description =
    `A topic never gets fewer again, and most keys go to another partition from then on: records of one key are in order only among those
before and those after. Says beforehand which share of the keys that are in the topic will move, and asks.`
  static override examples = [
    {description: 'From 6 to 12', command: '<%= config.bin %> <%= command.id %> market.trade --partitions 12'},
    {description: 'In a script', command: '<%= config.bin %> <%= command.id %> market.trade --bus kafka --partitions 12 --yes --json'},
  ]
  static override args = {topic: topicArg}
  static override flags = {
    ...configFlags,
    partitions: Flags.integer({
      summary: 'How many it has then, all together.',
      min: 1,
      max: 10_000,
      required: true,
      env: 'COINPIPE_PARTITIONS',
    }),
    ...yesFlag,
  }

  async run(): Promise<AddedPartitions> {
    const {args, flags, metadata} = await this.parse(TopicsAddPartitions)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const {topic} = args
    const after = flags.partitions
    const added = await withBus(config, context, async (bus) => {
      await checkTopics(bus, [topic], config.bus.kind)
      const description = await bus.describeTopic(topic)
      const before = description.partitions
      checkMore(topic, before, after)
      const keys = await findKeyMoves(bus, description, after)
      for (const line of describeKeyMoves(keys)) this.logToStderr(line)
      await confirm(`Give '${topic}' ${after} partitions instead of ${before}, for good?`, {yes: flags.yes, signal: context.signal})
      await bus.addPartitions(topic, after)
      return {topic, before, after, keys}
    })
    this.logToStderr(`'${topic}' has ${after} partitions now`)
    return added
  }
}
