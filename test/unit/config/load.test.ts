import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {inspect} from 'node:util'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {ConfigFileError, ConfigInvalidError} from '../../../src/lib/config/errors.ts'
import type {ConfigFlags} from '../../../src/lib/config/layers.ts'
import {checkConfig, loadConfig} from '../../../src/lib/config/load.ts'
import {formatProblem} from '../../../src/lib/config/problem.ts'
import {DEFAULT_RETENTION} from '../../../src/lib/store/embedded/sink.ts'

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coinpipe-config-'))
  path = join(folder, 'coinpipe.yaml')
})
afterEach(() => rm(folder, {recursive: true}))

async function check(yaml: string, env: NodeJS.ProcessEnv = {}, flags: ConfigFlags = {}) {
  await writeFile(path, yaml)
  const result = await checkConfig({path, env, flags, defaultDataDir: '/data'})
  return {...result, lines: result.problems.map((problem) => formatProblem(problem).replace(`${folder}/`, ''))}
}

async function load(yaml: string, env: NodeJS.ProcessEnv = {}, flags: ConfigFlags = {}) {
  await writeFile(path, yaml)
  return loadConfig({path, env, flags, defaultDataDir: '/data'})
}

const PIPELINE = 'pipelines: [{name: krw, source: {kind: exchange, exchange: upbit, channels: [trade], symbols: [BTC-KRW]}}]'

describe('defaults', () => {
  it('fills in everything, topics as the topics page says', async () => {
    const {config} = await load('version: 1')
    expect(config.bus).toMatchObject({kind: 'embedded', brokers: [], client: 'platformatic', acks: 1, durable: false})
    expect(config.dataDir).toBe('/data')
    const replication = {replicas: 2, settings: {'min.insync.replicas': '1'}}
    expect(config.topics['market.trade']).toEqual({partitions: 6, retentionMs: 86_400_000, retentionBytes: null, pin: {}, ...replication})
    expect(config.topics['market.book']).toEqual({
      partitions: 6,
      retentionMs: 21_600_000,
      retentionBytes: 8 * 1024 ** 3,
      pin: {},
      replicas: 2,
      settings: {'compression.type': 'zstd', 'min.insync.replicas': '1'},
    })
    expect(config.spill.maxBytes).toBe(1024 ** 3)
  })

  it('reads durations and sizes', async () => {
    const yaml =
      'version: 1\ntopics: {market.trade: {retention: 90m, retentionBytes: 64MiB}, market.book: {retention: forever, retentionBytes: unlimited}}'
    const {config} = await load(yaml)
    expect(config.topics['market.trade']).toMatchObject({retentionMs: 5_400_000, retentionBytes: 64 * 1024 ** 2})
    expect(config.topics['market.book']).toMatchObject({retentionMs: null, retentionBytes: null})
  })

  it('takes every market where the symbols are all', async () => {
    for (const text of ['[all]', 'all']) {
      const {config} = await load(`version: 1\n${PIPELINE.replace('[BTC-KRW]', text)}`)
      expect(config.pipelines[0]?.source?.symbols).toBe('all')
    }
    const {config, settings} = await load(`version: 1\n${PIPELINE.replace('[BTC-KRW]', '[all], quotes: [KRW]')}`)
    expect(config.pipelines[0]?.source).toMatchObject({symbols: 'all', quotes: ['KRW']})
    expect(settings.find(({display}) => display === 'pipelines.krw.source.symbols')?.value).toEqual(['all'])
  })

  it('keeps in a store what the store itself would', async () => {
    const {config} = await load('version: 1\nsinks: {store: {kind: store}}')
    expect(config.sinks.store).toEqual({kind: 'store', retention: DEFAULT_RETENTION})
  })

  it('is frozen all the way down', async () => {
    const {config} = await load('version: 1')
    expect(Object.isFrozen(config)).toBe(true)
    expect(Object.isFrozen(config.topics['market.trade'])).toBe(true)
  })
})

describe('precedence', () => {
  const yaml = 'version: 1\nserve: {port: 1}\nlog: {level: warn}'

  it('takes flag over environment over file over default, and remembers which', async () => {
    const env = {COINPIPE_SERVE_PORT: '2', COINPIPE_LOG_LEVEL: 'debug'}
    const {config, origin} = await load(yaml, env, {set: ['serve.port=3']})
    expect(config.serve).toEqual({host: '127.0.0.1', port: 3})
    expect(config.log.level).toBe('debug')
    expect(origin('serve.port')).toEqual({kind: 'flag', name: '--set'})
    expect(origin('log.level')).toEqual({kind: 'env', name: 'COINPIPE_LOG_LEVEL'})
    expect(origin('serve.host')).toEqual({kind: 'default'})
    const fileOnly = await load(yaml)
    expect(fileOnly.origin('serve.port')).toEqual({kind: 'file', file: path, line: 2, column: 9})
  })

  it('knows --bus, --brokers and --data-dir and their short variables', async () => {
    const flagged = await load('version: 1', {}, {bus: 'kafka', brokers: 'a:1, b:2', dataDir: '/elsewhere'})
    expect(flagged.config.bus).toMatchObject({kind: 'kafka', brokers: ['a:1', 'b:2']})
    expect(flagged.config.dataDir).toBe('/elsewhere')
    expect(flagged.origin('bus.brokers')).toEqual({kind: 'flag', name: '--brokers'})
    const fromEnv = await load('version: 1', {COINPIPE_BUS: 'kafka', COINPIPE_BROKERS: 'a:1'}, {bus: 'kafka'})
    expect(fromEnv.origin('bus.kind')).toEqual({kind: 'env', name: 'COINPIPE_BUS'})
  })

  it('reaches topics, pins, groups and pipelines by name', async () => {
    const file = `version: 1\ngroups: {majors: [BTC-KRW]}\n${PIPELINE}`
    const env = {
      COINPIPE_TOPICS_MARKET_TRADE_PARTITIONS: '12',
      COINPIPE_TOPICS_MARKET_TRADE_PIN_MAJORS: '11',
      COINPIPE_PIPELINES_KRW_SOURCE_SYMBOLS: 'BTC-KRW,XRP-KRW',
      COINPIPE_PIPELINES_KRW_SOURCE_DEPTH: '15',
    }
    const {config, origin} = await load(file, env, {set: ['topics.market.trade.retention=2h']})
    expect(config.topics['market.trade']).toMatchObject({partitions: 12, retentionMs: 7_200_000, pin: {majors: 11}})
    expect(config.pipelines[0]?.source).toMatchObject({symbols: ['BTC-KRW', 'XRP-KRW'], depth: 15})
    expect(origin('pipelines.krw.source.symbols')).toEqual({kind: 'env', name: 'COINPIPE_PIPELINES_KRW_SOURCE_SYMBOLS'})
  })

  it('checks what flags and variables say like what the file says', async () => {
    const {lines} = await check('version: 1', {COINPIPE_SERVE_PORT: '99999'}, {set: ['bus.kind=kafak', 'serve.prot=1', 'log']})
    expect(lines).toEqual([
      "serve.prot: saw a path that is no setting, allowed the path of a setting; entries of groups, sinks and pipelines are added in the file; did you mean 'serve.port'? (flag --set)",
      "--set: saw 'log', allowed path=value, for example serve.port=8080 (flag --set)",
      "bus.kind: saw 'kafak', allowed embedded, kafka; did you mean 'kafka'? (flag --set)",
      'serve.port: saw 99999, allowed a whole number from 0 to 65535 (env COINPIPE_SERVE_PORT)',
    ])
  })

  it('warns of a variable that sets nothing, and leaves other variables alone', async () => {
    const {lines, loaded} = await check('version: 1', {COINPIPE_BUS_KINDD: 'kafka', COINPIPE_FOR: '5s', HOME: '/'})
    expect(loaded).toBeDefined()
    expect(lines).toEqual([
      "COINPIPE_BUS_KINDD: saw a variable that sets nothing, allowed the name of a setting that the config has; did you mean 'COINPIPE_BUS_KIND'? (env COINPIPE_BUS_KINDD)",
    ])
  })

  it('refuses a variable that stands for two settings', async () => {
    const {lines} = await check('version: 1\ngroups: {a-b: [BTC-KRW], a_b: [ETH-KRW]}', {COINPIPE_GROUPS_A_B: 'XRP-KRW'})
    expect(lines).toEqual([
      'COINPIPE_GROUPS_A_B: saw a name that stands for groups.a-b and groups.a_b, allowed --set with the full path (env COINPIPE_GROUPS_A_B)',
    ])
  })
})

describe('problems', () => {
  it('reports all of them in one go, each with path, value, choices and place', async () => {
    const {lines} = await check(`version: 1
bus: {kind: kafak, durable: maybe}
topics:
  market.trade: {partition: 6, retention: 5 minutes}
  market.trad: {}
sinks: {db: {kind: postgres, hosts: [a]}, st: {kind: stor}}
pipelines:
  - name: krw
    source: {kind: exchange, exchange: upbit, channels: [trades], symbols: [btc-krw, KRW-ETH], depth: 10}
    sinks: [sore]
  - source: {kind: exchange, exchange: binance, channels: [trade], symbols: [BTC-KRW]}
servee: {}
`)
    expect(lines).toEqual([
      "bus.kind: saw 'kafak', allowed embedded, kafka; did you mean 'kafka'? (coinpipe.yaml:2:7)",
      "bus.durable: saw 'maybe', allowed true, false (coinpipe.yaml:2:20)",
      "topics.market.trade.partition: saw an unknown key, allowed partitions, retention, retentionBytes, replicas, minInsyncReplicas, uncleanLeaderElection, compression, pin; did you mean 'partitions'? (coinpipe.yaml:4:18)",
      "topics.market.trade.retention: saw '5 minutes', allowed a duration such as 250ms, 5s or 24h, or forever (coinpipe.yaml:4:32)",
      "topics.market.trad: saw an unknown key, allowed market.trade, market.book, market.ticker, market.candle, marketplace.range, marketplace.product, web.event, ads.click, ops.lifecycle; did you mean 'market.trade'? (coinpipe.yaml:5:3)",
      "sinks.db.kind: saw 'postgres', which this version does not have yet, allowed store, cassandra (coinpipe.yaml:6:14)",
      "sinks.st.kind: saw 'stor', allowed store, cassandra; did you mean 'store'? (coinpipe.yaml:6:48)",
      "pipelines.krw.source.channels[0]: saw 'trades', allowed trade, book, ticker, candle; did you mean 'trade'? (coinpipe.yaml:9:58)",
      "pipelines.krw.source.symbols[0]: saw 'btc-krw', allowed a symbol such as BTC-KRW; did you mean 'BTC-KRW'? (coinpipe.yaml:9:77)",
      "pipelines.krw.source.symbols[1]: saw 'KRW-ETH', allowed a symbol such as BTC-KRW; did you mean 'ETH-KRW'? (coinpipe.yaml:9:86)",
      'pipelines.krw.source.depth: saw 10, allowed 1, 5, 15, 30 (coinpipe.yaml:9:96)',
      "pipelines.krw.sinks[0]: saw 'sore', not the name of a sink, allowed db, st (coinpipe.yaml:10:13)",
      'pipelines[1].name: saw nothing, allowed a name of letters, digits, - and _ (coinpipe.yaml:11:5)',
      "pipelines[1].source.exchange: saw 'binance', which this version does not have yet, allowed upbit (coinpipe.yaml:11:30)",
      "servee: saw an unknown key, allowed version, dataDir, bus, groups, topics, sinks, pipelines, aggregate, serve, spill, log; did you mean 'serve'? (coinpipe.yaml:12:1)",
    ])
  })

  it.each([
    [
      'a pin beyond the partitions',
      'groups: {m: [BTC-KRW]}\ntopics: {market.trade: {partitions: 2, pin: {m: 2}}}',
      'topics.market.trade.pin.m: saw partition 2, allowed 0 to 1, as market.trade has 2 partitions (coinpipe.yaml:3:46)',
    ],
    [
      'a pin of an unknown group',
      'groups: {majors: [BTC-KRW]}\ntopics: {market.trade: {pin: {major: 0}}}',
      "topics.market.trade.pin.major: saw 'major', not the name of a group, allowed majors; did you mean 'majors'? (coinpipe.yaml:3:31)",
    ],
    [
      'a symbol in two groups',
      'groups: {a: [BTC-KRW], b: [BTC-KRW]}',
      "groups.b[0]: saw 'BTC-KRW', already in a, allowed each symbol in one group, once (coinpipe.yaml:2:28)",
    ],
    [
      'no room for unpinned symbols',
      `groups: {a: [XRP-KRW]}\ntopics: {market.trade: {partitions: 1, pin: {a: 0}}}\n${PIPELINE.replace('[BTC-KRW]', '[BTC-KRW, XRP-KRW]')}`,
      'topics.market.trade.pin: saw a group on each of 1 partitions, and BTC-KRW in none of them, allowed a partition without a group, or every collected symbol in a pinned group (coinpipe.yaml:3:40)',
    ],
    [
      'two pipelines of one name',
      `${PIPELINE.replace('}]', '}, {name: krw, topics: [market.trade], sinks: [s]}]')}\nsinks: {s: {kind: store}}`,
      "pipelines.krw.name: saw 'krw' again, allowed a name that no other pipeline has",
    ],
    [
      'a pipeline that does nothing',
      'pipelines: [{name: p}]',
      'pipelines.p: saw neither source nor topics, allowed a source, or topics for the sinks to read (coinpipe.yaml:2:13)',
    ],
    [
      'a pipeline without source and sinks',
      'pipelines: [{name: p, topics: [market.trade]}]',
      'pipelines.p: saw neither source nor sinks, allowed a source, or sinks to write to (coinpipe.yaml:2:13)',
    ],
    [
      'two stores',
      'sinks: {a: {kind: store}, b: {kind: store}}\npipelines: [{name: p, topics: [market.trade], sinks: [a, b]}]',
      'sinks.b: saw a second store, allowed one: the data folder has one store, which is a already (coinpipe.yaml:2:27)',
    ],
    [
      'a store for other records than those of markets',
      'sinks: {a: {kind: store}}\npipelines: [{name: p, topics: [web.event], sinks: [a]}]',
      "pipelines.p.topics[0]: saw 'web.event', for a store, allowed market.trade, market.book, market.ticker, market.candle (coinpipe.yaml:3:32)",
    ],
    [
      'all among other symbols',
      PIPELINE.replace('[BTC-KRW]', '[BTC-KRW, all]'),
      "pipelines.krw.source.symbols: saw 'all' among other symbols, allowed [all], or symbols (coinpipe.yaml:2:86)",
    ],
    [
      'quotes with symbols by name',
      PIPELINE.replace('symbols', 'quotes: [KRW], symbols'),
      'pipelines.krw.source.quotes: saw quotes, with symbols by name, allowed no quotes, or symbols: [all] (coinpipe.yaml:2:86)',
    ],
    [
      'an unknown topic',
      'pipelines: [{name: p, topics: [market.trads], sinks: []}]',
      "pipelines.p.topics[0]: saw 'market.trads', allowed market.trade, market.book",
    ],
    [
      'an unknown sink',
      'pipelines: [{name: p, topics: [market.trade], sinks: [x]}]',
      "pipelines.p.sinks[0]: saw 'x', not the name of a sink, allowed the name of a sink; the config has none (coinpipe.yaml:2:55)",
    ],
    [
      'the embedded bus with brokers',
      'bus: {brokers: ["a:1"]}',
      'bus.brokers: saw brokers, with the embedded bus, allowed no brokers, or bus.kind: kafka (coinpipe.yaml:2:7)',
    ],
    [
      'durable with acks 1',
      'bus: {kind: kafka, brokers: ["a:1"], durable: true, acks: 1}',
      'bus.acks: saw 1, with durable: true, allowed all, or durable: false (coinpipe.yaml:2:53)',
    ],
    [
      'kafkajs and durable',
      'bus: {kind: kafka, brokers: ["a:1"], durable: true, client: kafkajs}',
      'bus.durable: saw true, with client: kafkajs, allowed false, or client: platformatic (coinpipe.yaml:2:38)',
    ],
    [
      'retention below a segment',
      'bus: {kind: kafka, brokers: ["a:1"]}\ntopics: {market.trade: {retention: 5m}}',
      "topics.market.trade.retention: saw '5m', allowed 1h or more: Kafka drops whole segments, of an hour each (coinpipe.yaml:3:25)",
    ],
  ])('refuses %s', async (_, yaml, expected) => {
    const {problems, lines, loaded} = await check(`version: 1\n${yaml}`)
    const errors = lines.filter((_line, index) => problems[index]?.severity === 'error')
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain(expected)
    expect(loaded).toBeUndefined()
  })

  it('reports two problems with one value', async () => {
    const {problems} = await check('version: 1\ngroups: {a: [BTC-KRW]}\ntopics: {market.trade: {partitions: 1, pin: {b: 1}}}')
    expect(problems.map(({path: where, saw}) => [where, saw])).toEqual([
      ['topics.market.trade.pin.b', "'b', not the name of a group"],
      ['topics.market.trade.pin.b', 'partition 1'],
    ])
  })

  it('only warns of a group member that nothing collects', async () => {
    const {problems, loaded} = await check(`version: 1\ngroups: {m: [BTC-KRW, XRP-KRW]}\n${PIPELINE}`)
    expect(loaded).toBeDefined()
    expect(problems.map(({severity, path: where}) => [severity, where])).toEqual([['warning', 'groups.m[1]']])
  })

  it('only warns of a sink that nothing writes to', async () => {
    const {problems, loaded} = await check('version: 1\nsinks: {store: {kind: store}}')
    expect(loaded).toBeDefined()
    expect(problems.map(({severity, path: where}) => [severity, where])).toEqual([['warning', 'sinks.store']])
  })

  it('takes any name for a group', async () => {
    const {problems} = await check('version: 1\ntopics: {market.trade: {partitions: 1, pin: {constructor: 0}}}')
    expect(problems.map(({saw}) => saw)).toEqual(["'constructor', not the name of a group"])
  })

  it.each([
    ['flag --brokers', {}, {brokers: 'a:1'}],
    ['env COINPIPE_BROKERS', {COINPIPE_BROKERS: 'a:1'}, {}],
  ])('says what to add where brokers without their bus come from %s', async (origin, env, flags) => {
    const allowed = 'no brokers; or add --bus kafka (or COINPIPE_BUS=kafka)'
    expect((await check('version: 1', env, flags)).lines).toEqual([
      `bus.brokers: saw brokers, with the embedded bus, allowed ${allowed} (${origin})`,
    ])
  })

  it('lets --bus embedded override a Kafka file', async () => {
    const {config} = await load('version: 1\nbus: {kind: kafka, brokers: ["a:1"]}', {}, {bus: 'embedded'})
    expect(config.bus.kind).toBe('embedded')
  })

  it.each([
    ['a syntax error', 'version: 1\nbus: {kind: embedded', '(file)'],
    ['a key written twice', 'version: 1\nversion: 1', '(file)'],
    ['a list', '- version: 1', '(file)'],
    ['an empty file', '', 'version'],
  ])('refuses %s', async (_, yaml, where) => {
    const {problems} = await check(yaml)
    expect(problems.map((problem) => problem.path)).toContain(where)
  })

  it('throws them all from loadConfig, for a run', async () => {
    const error = await load('version: 2\nserve: {port: x}').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ConfigInvalidError)
    expect((error as ConfigInvalidError).message).toMatch(/^2 problems in the config\nversion: saw 2, allowed 1 .*\nserve.port: saw 'x'/)
  })

  it('says that the file is not there', async () => {
    const missing = checkConfig({path: join(folder, 'no.yaml'), env: {}, defaultDataDir: '/data'})
    await expect(missing).rejects.toThrow(ConfigFileError)
    await expect(missing).rejects.toThrow(/there is no such file/)
  })
})

describe('secrets', () => {
  const kafka = (password: string) =>
    `version: 1\nbus: {kind: kafka, brokers: ["a:1"], sasl: {mechanism: plain, username: me, password: "${password}"}}`

  it('takes them from a variable or a file, and shows a mask', async () => {
    await writeFile(join(folder, 'password'), 'hunter2\n')
    for (const yaml of [kafka(`\${KAFKA_PASSWORD}`), kafka('file:password')]) {
      const {config, settings, warnings} = await load(yaml, {KAFKA_PASSWORD: 'hunter2'})
      expect(config.bus.sasl?.password.reveal()).toBe('hunter2')
      expect(settings.find(({display}) => display === 'bus.sasl.password')?.value).toBe('********')
      expect(`${JSON.stringify(config)}${inspect(config, {depth: 9})}${config.bus.sasl?.password}`).not.toContain('hunter2')
      expect(warnings).toEqual([])
    }
  })

  it('warns of one in clear', async () => {
    const {problems} = await check(kafka('hunter2'))
    expect(problems).toContainEqual(expect.objectContaining({severity: 'warning', path: 'bus.sasl.password', saw: 'a secret in clear'}))
    expect(JSON.stringify(problems)).not.toContain('hunter2')
  })

  it('refuses a variable that is not set and a file that is not there', async () => {
    expect((await check(kafka(`\${NOPE}`))).lines).toContainEqual(
      expect.stringMatching(/^bus\.sasl\.password: saw \$\{NOPE\}, a variable that is not set/),
    )
    expect((await check(kafka('file:nope'))).lines).toContainEqual(
      expect.stringMatching(/^bus\.sasl\.password: saw file .*nope, which cannot be read \(ENOENT\)/),
    )
  })

  it('refuses variables elsewhere, and names the one that sets the value', async () => {
    const {lines} = await check(`version: 1\ndataDir: \${HOME}/coins`)
    expect(lines).toEqual([`dataDir: saw '\${HOME}/coins', allowed a plain value here; set COINPIPE_DATA_DIR instead (coinpipe.yaml:2:1)`])
  })

  it('hides the password of a URL', async () => {
    const {settings} = await load(`version: 1\n${PIPELINE.replace('symbols', 'url: "wss://me:hunter2@host/x", symbols')}`)
    expect(settings.find(({display}) => display === 'pipelines.krw.source.url')?.value).toBe('wss://me:********@host/x')
  })
})
