import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {BUCKETS, CONSISTENCIES} from '../../../src/lib/config/catalogue.ts'
import {effectiveTree} from '../../../src/lib/config/effective.ts'
import type {CassandraFlags, ConfigFlags} from '../../../src/lib/config/layers.ts'
import {checkConfig, loadConfig} from '../../../src/lib/config/load.ts'
import {formatProblem} from '../../../src/lib/config/problem.ts'
import {cassandraSettings} from '../../../src/lib/pipeline/cassandra.ts'
import * as store from '../../../src/lib/store/cassandra/options.ts'

let folder: string
let path: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coinpipe-config-cassandra-'))
  path = join(folder, 'coinpipe.yaml')
})
afterAll(() => rm(folder, {recursive: true}))

async function write(yaml: string) {
  await writeFile(path, `version: 1\n${yaml}`)
}

async function check(yaml: string, env: NodeJS.ProcessEnv = {}, flags: ConfigFlags = {}) {
  await write(yaml)
  const {problems, loaded} = await checkConfig({path, env, flags, defaultDataDir: '/data'})
  const line = (problem: (typeof problems)[number]) => `${problem.severity}: ${formatProblem(problem).replace(`${folder}/`, '')}`
  return {lines: problems.map(line), loaded}
}

async function load(yaml: string, env: NodeJS.ProcessEnv = {}, flags: ConfigFlags = {}) {
  await write(yaml)
  return loadConfig({path, env, flags, defaultDataDir: '/data'})
}

/** A sink that a pipeline writes to. */
const sink = (settings: string) =>
  `sinks: {cass: {kind: cassandra${settings}}}\npipelines: [{name: p, topics: [market.trade], sinks: [cass]}]`

describe('a sink of kind cassandra', () => {
  it('has the defaults of the room that writes to Cassandra', async () => {
    const {config} = await load(sink(', hosts: [a]'))
    expect(cassandraSettings(config)).toEqual({
      name: 'cass',
      options: {...store.CASSANDRA_DEFAULTS, hosts: ['a']},
      tables: store.TABLE_DEFAULTS,
      write: store.WRITE_DEFAULTS,
      readConsistency: 'one',
    })
    expect(CONSISTENCIES).toEqual(store.CONSISTENCIES)
    expect(BUCKETS).toEqual(store.BUCKETS)
  })

  it('hands everything on in the units of that room', async () => {
    const {config} = await load(
      sink(`, hosts: ["10.0.0.1:9043", "::1"], port: 9142, localDatacenter: seoul, keyspace: coins, username: me, password: "\${PASS}",
        tls: {}, replicas: 3, ttl: 2h, ttlOf: {candle: 7d, ticker: forever}, gcGrace: 4h, window: 10m, bucket: day, consistency: quorum,
        readConsistency: local_quorum, bookLevels: 5, batchRows: 50, linger: 0ms, maxInFlight: 1MiB, deadline: 10s, requestTimeout: 2s,
        connectTimeout: 1s, speculative: 200ms`),
      {PASS: 'hunter2'},
    )
    expect(cassandraSettings(config, {sink: 'cass'})).toEqual({
      name: 'cass',
      options: {
        hosts: ['10.0.0.1:9043', '::1'],
        port: 9142,
        localDatacenter: 'seoul',
        keyspace: 'coins',
        username: 'me',
        password: 'hunter2',
        tls: {},
        connectTimeoutMs: 1000,
        requestTimeoutMs: 2000,
      },
      tables: {
        replicas: 3,
        ttlSeconds: 7200,
        ttlSecondsOf: {candle: 604_800, ticker: null},
        gcGraceSeconds: 14_400,
        windowMinutes: 10,
        bucket: 'day',
      },
      write: {
        ...store.WRITE_DEFAULTS,
        consistency: 'quorum',
        bookLevels: 5,
        batchRows: 50,
        lingerMs: 0,
        maxInFlightBytes: 1024 ** 2,
        deadlineMs: 10_000,
        speculativeMs: 200,
      },
      readConsistency: 'local_quorum',
    })
  })

  it('is shown in the words of the file, its password masked, and read back as the same', async () => {
    const text = `, hosts: [a], ttl: forever, ttlOf: {trade: 90m}, window: 1d, bucket: day, username: me, password: "\${PASS}", speculative: 200ms`
    const {config, settings} = await load(sink(text), {PASS: 'hunter2'})
    const shown = Object.fromEntries(settings.map(({display, value}) => [display.replace('sinks.cass.', ''), value]))
    expect(shown).toMatchObject({
      ttl: 'forever',
      'ttlOf.trade': '90m',
      window: '1d',
      gcGrace: '3h',
      maxInFlight: '32MiB',
      speculative: '200ms',
    })
    expect(shown).toMatchObject({kind: 'cassandra', hosts: ['a'], password: '********'})
    expect(JSON.stringify([settings, config])).not.toContain('hunter2')
    const {sinks} = effectiveTree(config) as {sinks: {cass: object}}
    expect((await load(`sinks: ${JSON.stringify(sinks)}`)).config.sinks.cass).toMatchObject({
      ...config.sinks.cass,
      password: expect.anything(),
    })
  })

  it('takes settings from variables and --set, but not its kind', async () => {
    const env = {COINPIPE_SINKS_CASS_HOSTS: 'a,b:1', COINPIPE_SINKS_CASS_TTL_OF_WEB_EVENT: '2h', COINPIPE_SINKS_CASS_KIND: 'store'}
    const {config, warnings} = await load(sink(''), env, {set: ['sinks.cass.batchRows=20']})
    expect(config.sinks.cass).toMatchObject({kind: 'cassandra', hosts: ['a', 'b:1'], batchRows: 20, ttlOf: {webEvent: 7_200_000}})
    expect(warnings.map(({path: where}) => where)).toEqual(['COINPIPE_SINKS_CASS_KIND'])
  })

  it.each([
    [', ttl: 21y', 'ttl', "saw '21y', allowed a duration from 1s to 7300d in whole seconds, or forever"],
    [', ttl: 7301d', 'ttl', "saw '7301d', allowed a duration from 1s to 7300d in whole seconds, or forever"],
    [', ttl: 0s', 'ttl', "saw '0s', allowed"],
    [', ttl: 1500ms', 'ttl', "saw '1500ms', allowed"],
    [
      ', ttlOf: {trades: 1h}',
      'ttlOf.trades',
      "saw an unknown key, allowed trade, book, ticker, candle, gap, product, webEvent, adClick, lifecycle; did you mean 'trade'?",
    ],
    [', window: 90s', 'window', "saw '90s', allowed a duration from 1m to 365d in whole minutes"],
    [', keyspace: Coin-Pipe', 'keyspace', "saw 'Coin-Pipe', allowed a name of lower-case letters"],
    [', keyspace: table', 'keyspace', "saw 'table', allowed a name of lower-case letters"],
    [', keyspace: system_auth', 'keyspace', "saw 'system_auth', allowed a name of lower-case letters"],
    [', hosts: ["a b"]', 'hosts[0]', "saw 'a b', allowed a host name or address, with :port or without"],
    [', hosts: ["a:99999"]', 'hosts[0]', "saw 'a:99999', allowed"],
    [', retention: {}', 'retention', 'saw an unknown key, allowed kind, hosts, port,'],
    [
      ', consistency: qorum',
      'consistency',
      "saw 'qorum', allowed any, one, local_one, two, three, quorum, local_quorum, each_quorum, all; did you mean 'quorum'?",
    ],
    [', readConsistency: any', 'readConsistency', "saw 'any', allowed one,"],
    [', consistency: three', 'consistency', 'saw three, with replicas: 2, allowed a level that 2 of 2 replicas can reach'],
    [', replicas: 1, consistency: two', 'consistency', 'saw two, with replicas: 1'],
    [', deadline: 1s', 'deadline', 'saw 1s, allowed 3s or more, as requestTimeout'],
    [', username: me', 'username', 'saw a user without a password, allowed password too'],
    [`, password: "\${PASS}"`, 'password', 'saw a password without a user, allowed username too'],
  ])('refuses %s', async (settings, key, expected) => {
    const {lines, loaded} = await check(sink(settings), {PASS: 'x'})
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(`error: sinks.cass.${key}: ${expected}`)
    expect(loaded).toBeUndefined()
  })

  it.each([
    [
      ', consistency: all',
      'consistency: saw all, with replicas: 2, allowed a lower level, or more replicas: else one node down stops writes',
    ],
    [', consistency: quorum', 'consistency: saw quorum, with replicas: 2'],
    [
      ', readConsistency: quorum',
      'readConsistency: saw quorum, with replicas: 2, allowed a lower level, or more replicas: else one node down stops reads',
    ],
    [', ttl: 24h', 'ttl: saw 1d, with window: 5m, allowed window: 29m or more: else reads ask more than 50 windows'],
    [', ttlOf: {product: 30d}', 'ttlOf.product: saw 30d, with window: 5m, allowed window: 864m or more'],
    [', ttl: forever, bucket: day', 'ttl: saw forever, with window: 5m, allowed window: 1d or more'],
    [', ttl: 30d, window: 1d', 'ttl: saw 30d, with bucket: hour, allowed bucket: day; else each market has 720 partitions'],
    [', gcGrace: 5s', 'gcGrace: saw 5s, allowed 3h or more: else a node that was down for longer than gcGrace misses rows until a repair'],
  ])('warns of %s', async (settings, expected) => {
    const {lines, loaded} = await check(sink(settings))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(`warning: sinks.cass.${expected}`)
    expect(loaded).toBeDefined()
  })

  it.each([
    ', bucket: day',
    ', ttlOf: {candle: forever, book: 30d, ticker: 1s}',
    ', replicas: 3, consistency: quorum',
    ', replicas: 1, consistency: all, gcGrace: 0s',
    ', ttl: 365d, window: 8d, bucket: day',
  ])('is content with %s', async (settings) => {
    expect((await check(sink(settings))).lines).toEqual([])
  })

  it('stands beside others of its kind and beside the store, and takes any topic', async () => {
    const yaml = `sinks: {a: {kind: cassandra}, b: {kind: cassandra, keyspace: other}, st: {kind: store}}
pipelines: [{name: p, topics: [market.trade, web.event], sinks: [a, b]}, {name: q, topics: [market.trade], sinks: [st]}]`
    expect((await check(yaml)).lines).toEqual([])
  })

  it('reports a kind that there is not, and nothing else of that sink', async () => {
    const {lines} = await check('sinks: {x: {kind: casandra, hosts: 5, nope: 1}, y: {hosts: [a]}, z: {kind: cassandra}}')
    expect(lines.filter((line) => line.startsWith('error'))).toEqual([
      "error: sinks.x.kind: saw 'casandra', allowed store, cassandra; did you mean 'cassandra'? (coinpipe.yaml:2:13)",
      'error: sinks.y.kind: saw nothing, allowed store, cassandra (coinpipe.yaml:2:49)',
    ])
  })
})

describe('the sink that commands use where the config has none', () => {
  it('has the defaults, and what variables and --set say', async () => {
    const bare = await load('')
    expect(bare.config.sinks).toEqual({})
    expect(cassandraSettings(bare.config)).toMatchObject({name: 'cassandra', options: {hosts: []}, tables: store.TABLE_DEFAULTS})
    const {config, warnings, origin} = await load('', {COINPIPE_SINKS_CASSANDRA_HOSTS: 'a,b'}, {set: ['sinks.cassandra.ttl=2h']})
    expect(warnings).toEqual([])
    expect(cassandraSettings(config)).toMatchObject({name: 'cassandra', options: {hosts: ['a', 'b']}, tables: {ttlSeconds: 7200}})
    expect(origin('sinks.cassandra.ttl')).toEqual({kind: 'flag', name: '--set'})
  })

  it('is checked like any other', async () => {
    const {lines} = await check('', {}, {set: ['sinks.cassandra.consistency=three', 'sinks.cassandra.tll=1h']})
    expect(lines).toEqual([
      expect.stringContaining('error: sinks.cassandra.tll: saw a path that is no setting'),
      expect.stringContaining('error: sinks.cassandra.consistency: saw three, with replicas: 2'),
    ])
  })

  it('is not there beside one that the file has', async () => {
    const {lines} = await check(sink(''), {COINPIPE_SINKS_CASSANDRA_TTL: '2h'})
    expect(lines).toEqual([expect.stringContaining('warning: COINPIPE_SINKS_CASSANDRA_TTL: saw a variable that sets nothing')])
  })
})

describe('flags of a command about Cassandra', () => {
  const two = 'sinks: {a: {kind: cassandra}, b: {kind: cassandra}}\npipelines: [{name: p, topics: [market.trade], sinks: [a, b]}]'
  const hosts = (sink?: string): CassandraFlags => ({sink, settings: [{flag: 'hosts', key: 'hosts', text: 'h1,h2'}]})

  it('are short for settings of the sink that is meant', async () => {
    const implicit = await load('', {}, {cassandra: hosts()})
    expect(cassandraSettings(implicit.config).options.hosts).toEqual(['h1', 'h2'])
    expect(implicit.origin('sinks.cassandra.hosts')).toEqual({kind: 'flag', name: '--hosts'})
    const only = await load(sink(', hosts: [a]'), {COINPIPE_HOSTS: 'h1,h2'}, {cassandra: hosts()})
    expect(cassandraSettings(only.config).options.hosts).toEqual(['h1', 'h2'])
    expect(only.origin('sinks.cass.hosts')).toEqual({kind: 'env', name: 'COINPIPE_HOSTS'})
    const named = await load(two, {}, {cassandra: hosts('b')})
    expect(cassandraSettings(named.config, {sink: 'b'}).options.hosts).toEqual(['h1', 'h2'])
    expect(cassandraSettings(named.config, {sink: 'a'}).options.hosts).toEqual([])
  })

  it('ask for a name where several could be meant, and for a right one', async () => {
    const {config} = await load(two, {}, {cassandra: hosts()})
    expect(() => cassandraSettings(config)).toThrow('the config has 2 sinks of kind cassandra')
    expect(() => cassandraSettings(config, {sink: 'c'})).toThrow("the config has no sink of kind cassandra that is named 'c'")
  })
})
