import type {JsonSchema} from '../src/lib/config/json-schema.ts'
import {configJsonSchema} from '../src/lib/config/schema.ts'
import {envName} from '../src/lib/config/targets.ts'

/** docs/config.md. */
export function renderConfig(): string {
  const schema = configJsonSchema()
  const {sections, scalars} = split(schema)
  return [
    INTRO,
    '## Every setting',
    '',
    'Generated from src/lib/config/schema.ts by `npm run docs`. A path in `<…>` is a name of your own. **Required** settings have no default.',
    '',
    ...table(scalars.flatMap(([key, property]) => rows(property, key, isRequired(schema, key)))),
    ...sections.flatMap(([key, property]) => ['', `### ${key}`, '', property.description ?? '', ...tables(property, key)]),
    '',
  ].join('\n')
}

function split(schema: JsonSchema) {
  const all = Object.entries(schema.properties ?? {})
  const isScalar = ([, property]: [string, JsonSchema]) => !property.properties && !property.additionalProperties && !property.items
  return {scalars: all.filter(isScalar), sections: all.filter((entry) => !isScalar(entry))}
}

/** A table; where there are several kinds, one of each. */
function tables(section: JsonSchema, key: string): string[] {
  const kinds = typeof section.additionalProperties === 'object' ? section.additionalProperties.oneOf : undefined
  if (kinds === undefined) return ['', ...table(rows(section, key, false))]
  return kinds.flatMap((kind) => {
    const name = String(kind.properties?.kind?.const)
    return ['', `#### ${key}: ${name}`, '', kind.description ?? '', '', ...table(rows({additionalProperties: kind}, key, false))]
  })
}

interface Row {
  readonly path: string
  readonly schema: JsonSchema
  readonly required: boolean
}

const NAMES: Readonly<Record<string, string>> = {
  groups: '<group>',
  topics: '<topic>',
  sinks: '<sink>',
  pin: '<group>',
  pipelines: '<pipeline>',
}

function rows(schema: JsonSchema, path: string, required: boolean): Row[] {
  if (schema.properties) {
    return Object.entries(schema.properties).flatMap(([key, property]) => rows(property, `${path}.${key}`, isRequired(schema, key)))
  }
  const element = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : schema.items?.properties && schema.items
  if (!element) return [{path, schema, required}]
  const own = {description: schema.description ?? '', ...element}
  return rows(own, `${path}.${NAMES[path.split('.').at(-1) ?? ''] ?? '<name>'}`, false)
}

function isRequired(schema: JsonSchema, key: string): boolean {
  return schema.required?.includes(key) === true
}

function table(settings: readonly Row[]): string[] {
  const lines = settings.map(({path, schema, required}) => {
    const fallback =
      schema.default === undefined
        ? required
          ? '**required**'
          : ''
        : `\`${JSON.stringify(schema.default).replaceAll('"', '').replaceAll(',', ', ')}\``
    return `| \`${path}\`${schema.fixed ? '' : `<br>\`${variable(path)}\``} | ${type(schema)} | ${fallback} | ${schema.description ?? ''} |`
  })
  return ['| Setting and variable | Values | Default | Meaning |', '|---|---|---|---|', ...lines]
}

/** The variable, with placeholders for names as the path has them. */
function variable(path: string): string {
  const words = path.split('.').map((key) => (key.startsWith('<') ? key.toUpperCase() : envName(key).slice('COINPIPE_'.length)))
  return ['COINPIPE', ...words].join('_')
}

function type(schema: JsonSchema): string {
  if (schema.items) return `list of ${type(schema.items)}`
  const choices = schema.enum ?? (schema.const === undefined ? [] : [schema.const])
  if (choices.length > 0) return choices.map((choice) => `\`${choice}\``).join(' ')
  if (schema.type === 'integer') return `${schema.minimum}…${schema.maximum}`
  return schema.type === 'boolean' ? '`true` `false`' : 'text'
}

const INTRO = `# Configuration

\`coinpipe up\` runs what \`coinpipe.yaml\` says; \`coinpipe config check\` looks for mistakes without connecting to anything and
\`coinpipe config show --origin\` prints every setting in force and where its value came from. The first line below gives editors that know the YAML
language server completion and checks while typing.

\`\`\`yaml
# yaml-language-server: $schema=schema/coinpipe.schema.json
version: 1
groups: {majors: [BTC-KRW, ETH-KRW]}
topics:
  market.trade: {partitions: 6, retention: 24h, pin: {majors: 0}}
sinks: {store: {kind: store}}
pipelines:
  - name: upbit
    source: {kind: exchange, exchange: upbit, channels: [trade, ticker], symbols: [BTC-KRW, ETH-KRW, XRP-KRW]}
    sinks: [store]
\`\`\`

## Rules

- **Which value wins**: flag over environment variable over file over default.
- **Variables**: the setting's path in capitals, words joined by \`_\`: \`serve.port\` is \`COINPIPE_SERVE_PORT\`, \`spill.maxBytes\` is \`COINPIPE_SPILL_MAX_BYTES\`.
  Anything in a name that is no letter or digit becomes \`_\` too: \`topics.market.trade.partitions\` is \`COINPIPE_TOPICS_MARKET_TRADE_PARTITIONS\`,
  and the symbols of a pipeline called \`upbit\` are \`COINPIPE_PIPELINES_UPBIT_SOURCE_SYMBOLS\`. A variable that would stand for two settings is refused; an empty one is not set.
- **Flags**: \`--set PATH=VALUE\` changes any setting, for example \`--set serve.port=8080\`. \`--bus\`, \`--brokers\` and \`--data-dir\` are short for \`bus.kind\`, \`bus.brokers\` and
  \`dataDir\`; their variables, which win over the long ones, are \`COINPIPE_BUS\`, \`COINPIPE_BROKERS\` and \`COINPIPE_DATA_DIR\`.
- **Lists** in flags and variables are comma-separated. Groups, sinks and pipelines are added in the file only; their settings can be changed from outside.
- **The sink \`cassandra\`** need not be in the file: where the file has none of that kind, commands about Cassandra take one of this name with the defaults, so that
  \`--set sinks.cassandra.ttl=2h\` and \`COINPIPE_SINKS_CASSANDRA_HOSTS\` work. There, \`--hosts\`, \`--cassandra-port\`, \`--keyspace\`, \`--local-datacenter\` and \`--username\`
  are short for settings of the sink that \`--sink\` names.
- **Durations** are a number and \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`; **sizes** a number and \`B\`, \`KiB\`, \`MiB\`, \`GiB\` or \`TiB\`.
- **Symbols** are \`BASE-QUOTE\`, so Upbit's \`KRW-BTC\` is \`BTC-KRW\`.
- **Secrets** are \`\${VARIABLE}\` or \`file:PATH\` (relative to the config file); one written in clear is a warning, and \`config show\` masks them. No other setting takes \`\${…}\`.
- **Unknown keys** and combinations that cannot work are errors, all reported in one go:
  \`topics.market.trade.pin.majors: saw partition 6, allowed 0 to 5, as market.trade has 6 partitions (coinpipe.yaml:4:58)\`.

## Pinned groups

A topic's \`pin\` sends the symbols of a group to one partition. All other symbols spread over the partitions that no group is pinned to, by Java's murmur2 of
\`exchange:SYMBOL\`, so that a symbol keeps its partition. Without pins every partition is open.

## From CryptoStream

\`coinpipe config import --producer conf/producer.conf --consumer conf/consumer.conf --env-file .env --compose docker-compose.yaml --out coinpipe.yaml\`
reads the files of [CryptoStream](https://github.com/dojun43/CryptoStream-docker):

| There | Here |
|---|---|
| a section \`[upbit_producer1]\` of producer.conf | a group of that name, and its symbols in the pipeline \`upbit\` |
| \`tickers=BTC,ETH\` | \`[BTC-KRW, ETH-KRW]\`, order books of depth 5 in SIMPLE format, as its producer subscribes |
| \`partition_number=0\` | \`topics.market.book.pin: {upbit_producer1: 0}\` |
| \`topic_name\` | \`market.book\`; where each producer had a topic of its own, a partition for each, in the order of the file |
| sections of consumer.conf | one sink \`store\` that reads every partition; Google Cloud Storage comes with a later version |
| \`KAFKA_NODE1_INTERNAL_IP\`… of .env | \`bus.brokers\`, port 9092 |
| services of the compose file | producers that none of them starts are left out |

Everything else, passwords included, is left out and named: on stderr and in the first lines of the file.
`
