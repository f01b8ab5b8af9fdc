import {Flags} from '@oclif/core'
import {ConfigCommand} from '../lib/cli/config-command.ts'
import {UsageError} from '../lib/cli/errors.ts'
import {endlessFlags} from '../lib/cli/flags.ts'
import {checkGroup, checkTopics} from '../lib/cli/names.ts'
import {delimiterFlags, partitionFlag, topicArg} from '../lib/cli/topic-flags.ts'
import {configFlags} from '../lib/config/flags.ts'
import {SchemaRegistry} from '../lib/ops/schema-registry.ts'
import {type TailSummary, tail} from '../lib/ops/tail.ts'
import {createDecode, DECODINGS} from '../lib/ops/tail-decode.ts'
import type {Expression} from '../lib/ops/tail-filter.ts'
import {parseFilter} from '../lib/ops/tail-filter-parser.ts'
import {delimited, envelope, parseTemplate} from '../lib/ops/tail-format.ts'
import {parseOffsets} from '../lib/ops/tail-offsets.ts'
import {withBus} from '../lib/pipeline/bus.ts'

export default class Tail extends ConfigCommand {
  static override summary = 'Show the records of a topic, and those that come in.'
  static override description =
    `Waits for new records until Ctrl-C, or starts elsewhere with --offset. Of several partitions the oldest record comes first. Reads only: no
group is joined and no position moved. Offsets, format tokens and the JSON keys are kcat's; docs/tail.md has them, and the language of --filter.`
  static override examples = [
    {
      description: 'What comes in, as JSON with key, offset and time',
      command: '<%= config.bin %> <%= command.id %> market.trade --envelope',
    },
    {
      description: 'Large sales of the last hour',
      command: `<%= config.bin %> <%= command.id %> market.trade --offset s@1h --exit --filter '.side == "sell" && .size > 0.5'`,
    },
    {
      description: 'The last five of each partition on Kafka, by a format',
      command: `<%= config.bin %> <%= command.id %> market.trade --bus kafka --offset -5 --exit --template '%p:%o %T %k %s\\n'`,
    },
  ]
  static override args = {topic: topicArg}
  static override flags = {
    ...configFlags,
    partition: partitionFlag,
    offset: Flags.string({
      char: 'o',
      summary:
        'Where to start: beginning, end, stored (with --group), an offset, -5 for five from the end, s@<time>; and with e@<time> where to stop. Times are milliseconds, 2026-01-31T09:00:00Z or how long ago (1h).',
      helpValue: '<offset>',
      multiple: true,
      multipleNonGreedy: true,
      env: 'COINPIPE_OFFSET',
    }),
    group: Flags.string({summary: 'The consumer group whose position --offset stored means.', env: 'COINPIPE_GROUP'}),
    exit: Flags.boolean({char: 'e', summary: 'Stop where the topic ends now; starts at its beginning.', env: 'COINPIPE_EXIT'}),
    ...endlessFlags,
    template: Flags.string({
      char: 'f',
      summary: "How to write a record, by kcat's tokens: %s %S %R %k %K %T %h %t %p %o.",
      exclusive: ['envelope'],
      env: 'COINPIPE_TEMPLATE',
    }),
    envelope: Flags.boolean({char: 'J', summary: "Write each record as JSON with kcat's keys, as --json does.", env: 'COINPIPE_ENVELOPE'}),
    ...delimiterFlags,
    nulls: Flags.boolean({char: 'Z', summary: 'Write NULL for a key or value that is null or empty.', env: 'COINPIPE_NULLS'}),
    decode: Flags.option({
      summary: 'What payloads are; auto decodes Avro and leaves all else as it is.',
      options: DECODINGS,
      default: 'auto' as const,
      env: 'COINPIPE_DECODE',
    })(),
    registry: Flags.string({summary: 'Schema registry that has the Avro schemas.', helpValue: '<url>', env: 'COINPIPE_REGISTRY'}),
    filter: Flags.custom<Expression>({parse: async (text) => parseFilter(text)})({
      summary: `Only records that fit, for example '.price >= 100 && key =~ /^upbit/'.`,
      helpValue: '<expression>',
      env: 'COINPIPE_FILTER',
    }),
    isolation: Flags.option({
      summary: 'Whether records of transactions that are open or were aborted are shown too.',
      options: ['committed', 'uncommitted'] as const,
      default: 'committed' as const,
      env: 'COINPIPE_ISOLATION',
    })(),
  }

  async run(): Promise<TailSummary> {
    const {args, flags, metadata} = await this.parse(Tail)
    const {topic} = args
    const {partition, group, exit, count, isolation, filter, delimiter, nulls, template, 'key-delimiter': keyDelimiter} = flags
    const range = parseOffsets([flags.offset ?? []].flat(), Date.now())
    if (template !== undefined && this.jsonEnabled()) throw new UsageError('--template and --json are two ways to write a record')
    const fixed = template === undefined ? delimited(delimiter, keyDelimiter, nulls) : parseTemplate(template, nulls)
    const asJson = flags.envelope || this.jsonEnabled()
    const {config, context} = await this.startWithConfig(flags, metadata)
    const registry = flags.registry === undefined ? undefined : new SchemaRegistry(flags.registry, context.signal)
    const options = {
      ...{topic, partition, range, group, exit, count, isolation, filter},
      decode: createDecode(flags.decode, registry),
      format: asJson ? (facts: Parameters<typeof envelope>[1]) => envelope(delimiter, facts) : () => fixed,
      write: (chunk: string | Uint8Array) => this.write(chunk),
    }
    try {
      return await withBus(config, context, async (bus) => {
        await checkTopics(bus, [topic], config.bus.kind)
        if (group !== undefined) await checkGroup(bus, group, config.bus.kind)
        return tail(bus, options, context)
      })
    } finally {
      await registry?.close()
    }
  }

  override logJson(): void {
    // The records are the answer.
  }
}
