import {Flags} from '@oclif/core'
import {UsageError} from '../../lib/cli/errors.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {limitFlags, settingFlag, topicArg} from '../../lib/cli/topic-flags.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {given} from '../../lib/core/given.ts'
import {defaultTopicConfig} from '../../lib/core/topics.ts'
import {type CreatedTopic, createTopic} from '../../lib/ops/change-topic.ts'
import {givenSettings, parseSettings} from '../../lib/ops/settings.ts'
import {withBus} from '../../lib/pipeline/bus.ts'

export default class TopicsCreate extends TableCommand {
  static override summary = 'Create a topic.'
  static override description =
    `What is not given is as the config says for this name, else as usual: 6 partitions for market topics, 3 for others, kept for 24h. A topic
that is there already with as many partitions stays as it is, so that a script may run twice.`
  static override examples = [
    {description: 'On the embedded log', command: '<%= config.bin %> <%= command.id %> my.events --partitions 3 --retention 7d'},
    {
      description: 'On Kafka, with a setting of its own',
      command: '<%= config.bin %> <%= command.id %> my.events --bus kafka --partitions 6 --replicas 3 --setting min.insync.replicas=2',
    },
  ]
  static override args = {topic: topicArg}
  static override flags = {
    ...configFlags,
    partitions: Flags.integer({summary: 'Number of partitions.', min: 1, max: 10_000, env: 'COINPIPE_PARTITIONS'}),
    replicas: Flags.integer({summary: 'Copies of each partition; Kafka only.', min: 1, max: 9, env: 'COINPIPE_REPLICAS'}),
    ...limitFlags,
    setting: settingFlag,
  }

  async run(): Promise<CreatedTopic> {
    const {args, flags, metadata} = await this.parse(TopicsCreate)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const {partitions, replicas, retention: retentionMs, 'retention-bytes': retentionBytes, setting} = flags
    if (config.bus.kind === 'embedded' && (setting ?? replicas) !== undefined) {
      throw new UsageError('the embedded log keeps one copy and has no settings', {remedy: ['leave --replicas and --setting away']})
    }
    const usual = config.topics[args.topic] ?? defaultTopicConfig(args.topic)
    const settings = {...usual.settings, ...givenSettings(parseSettings([setting ?? []].flat()))}
    const asked = {...usual, ...given({partitions, replicas, retentionMs, retentionBytes}), settings}
    const topic = await withBus(config, context, (bus) => createTopic(bus, args.topic, asked))
    this.logToStderr(topic.created ? `created '${topic.topic}'` : `'${topic.topic}' was there already, and stays as it is`)
    return topic
  }
}
