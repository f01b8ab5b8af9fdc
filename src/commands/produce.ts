import {Args, Flags} from '@oclif/core'
import type {CommandContext} from '../lib/cli/base-command.ts'
import {ConfigCommand} from '../lib/cli/config-command.ts'
import {UsageError} from '../lib/cli/errors.ts'
import {endlessFlags} from '../lib/cli/flags.ts'
import {checkTopics} from '../lib/cli/names.ts'
import {delimiterFlags, partitionFlag} from '../lib/cli/topic-flags.ts'
import {configFlags} from '../lib/config/flags.ts'
import {EXIT} from '../lib/core/errors.ts'
import type {Bus} from '../lib/core/ports/bus.ts'
import {defaultTopicConfig} from '../lib/core/topics.ts'
import {counted} from '../lib/ops/format.ts'
import {openFile, type ProduceSummary, produceLines, produceOne, readWhole} from '../lib/ops/produce.ts'
import {type LineOptions, parseHeaders} from '../lib/ops/produce-lines.ts'
import {checkPartition} from '../lib/ops/target.ts'
import {unescapeBytes} from '../lib/ops/unescape.ts'
import {withBus} from '../lib/pipeline/bus.ts'

export default class Produce extends ConfigCommand {
  static override summary = 'Write records to a topic.'
  static override description =
    `Each line of stdin is a record; empty lines are passed over. With --file the file is one record, or with --lines each of its lines is. A line that
is too large is told with its number, all others go in, and the exit code is 1. Ctrl-C ends it after what was read is in the log.`
  static override examples = [
    {
      description: 'Two records with keys',
      command: `printf 'a:1\\nb:2\\n' | <%= config.bin %> <%= command.id %> my.events --key-delimiter :`,
    },
    {
      description: 'A file of JSON lines, to Kafka, with a header',
      command: '<%= config.bin %> <%= command.id %> my.events --bus kafka --file events.jsonl --lines --header source=backfill',
    },
  ]
  // Or stdin would be read for it where it is missing.
  static override args = {topic: Args.string({description: 'The topic.', required: true, ignoreStdin: true})}
  static override flags = {
    ...configFlags,
    file: Flags.file({summary: 'File to read in place of stdin; all of it is one record.', env: 'COINPIPE_FILE'}),
    lines: Flags.boolean({char: 'l', summary: 'Each line of --file is a record.', dependsOn: ['file'], env: 'COINPIPE_LINES'}),
    ...delimiterFlags,
    header: Flags.string({
      char: 'H',
      summary: 'A header of every record; may be repeated.',
      helpValue: '<name=value>',
      multiple: true,
      multipleNonGreedy: true,
      env: 'COINPIPE_HEADER',
    }),
    partition: {...partitionFlag, summary: 'Write to this partition; default: by key.'},
    nulls: Flags.boolean({
      char: 'Z',
      summary: 'Nothing behind the key delimiter is a tombstone, nothing before it no key.',
      env: 'COINPIPE_NULLS',
    }),
    create: Flags.boolean({summary: 'Create the topic where there is none, as the config says.', env: 'COINPIPE_CREATE'}),
    ...endlessFlags,
  }

  async run(): Promise<ProduceSummary> {
    const {args, flags, metadata} = await this.parse(Produce)
    const {topic} = args
    const {partition, nulls, 'key-delimiter': key} = flags
    const keyDelimiter = key === undefined ? undefined : unescapeBytes(key)
    const line = {topic, partition, nulls, keyDelimiter, headers: parseHeaders([flags.header ?? []].flat())}
    const delimiter = unescapeBytes(flags.delimiter)
    if (delimiter.length === 0 || keyDelimiter?.length === 0) throw new UsageError('a delimiter must not be empty')
    const {config, context} = await this.startWithConfig(flags, metadata)
    const summary = await withBus(config, context, async (bus) => {
      if (flags.create) await bus.ensureTopic(topic, config.topics[topic] ?? defaultTopicConfig(topic))
      else await checkTopics(bus, [topic], config.bus.kind)
      checkPartition(await bus.describeTopic(topic), partition)
      return this.produce(bus, {...flags, line, delimiter}, context)
    })
    this.tell(summary)
    return summary
  }

  private async produce(
    bus: Bus,
    {
      file,
      lines,
      line,
      delimiter,
      count,
    }: {file?: string | undefined; lines: boolean; line: LineOptions; delimiter: Buffer; count?: number | undefined},
    context: CommandContext,
  ): Promise<ProduceSummary> {
    const {topic, partition, headers} = line
    if (file !== undefined && !lines) {
      return produceOne(bus, {topic, key: null, value: await readWhole(file), headers, ...(partition === undefined ? {} : {partition})})
    }
    const input = file === undefined ? process.stdin : (await openFile(file)).createReadStream()
    const onRefused = ({line, code, reason}: ProduceSummary['refusals'][number]) =>
      this.logToStderr(`line ${line} was left out: ${reason} [${code}]`)
    return produceLines(bus, {...line, input, delimiter, count, bounded: file !== undefined, onRefused}, context)
  }

  private tell({topic, records, unacknowledged, refused}: ProduceSummary): void {
    if (refused > 0) this.exitWith(EXIT.wrong)
    if (this.jsonEnabled()) return
    const parts = [`${counted(records, 'record')} in '${topic}'`]
    if (unacknowledged > 0) parts.push(`${unacknowledged} handed on without an answer`)
    if (refused > 0) parts.push(`${counted(refused, 'line')} left out`)
    this.logToStderr(parts.join(', '))
  }
}
