import {describe, expect, it} from 'vitest'
import {encodeRecord} from '../../src/lib/core/codec.ts'
import {TOPICS} from '../../src/lib/core/topics.ts'
import {cassandraUnderTest, keyspaceForTest, openSession, tablesForTest} from '../helpers/cassandra.ts'
import {lockedCassandra} from '../helpers/locked-cassandra.ts'
import {trade} from '../helpers/market-records.ts'
import {openSystem} from '../helpers/pipeline.ts'
import {COINPIPE, coinpipe, type Ended, start} from '../helpers/run-cli.ts'
import {silentServer} from '../helpers/silent-server.ts'
import {tempDir} from '../helpers/temp-dir.ts'

const BOUND_MS = 30_000

const host = () => cassandraUnderTest().hosts[0] ?? ''

/** `sink cassandra` on a log with one trade. */
async function sink(...flags: readonly string[]): Promise<string[]> {
  const dataDir = await tempDir()
  const {system} = await openSystem(dataDir)
  await system.bus.publish([{topic: TOPICS.trade, partition: 0, key: 'upbit:BTC-KRW', value: encodeRecord(trade('1'))}])
  return ['sink', 'cassandra', '--topics', TOPICS.trade, '--data-dir', dataDir, ...flags]
}

/** Runs a sink that has to give up by itself. */
async function refusal(...flags: readonly string[]): Promise<Ended> {
  const ended = await coinpipe(...(await sink(...flags)), '--for', `${BOUND_MS}ms`)
  expect(ended.stdout).toBe('')
  expect(ended.stderr).not.toMatch(/\n\s+at /)
  return ended
}

describe('sink cassandra, with bad input', () => {
  it('ends with 2 where the keyspace is missing, and says how to make it', async () => {
    const keyspace = keyspaceForTest()
    const {code, stderr} = await refusal('--hosts', host(), '--keyspace', keyspace)
    expect(stderr).toContain(keyspace)
    expect(stderr).toContain('coinpipe tables create cassandra')
    expect(stderr).toContain('[COINPIPE_CASSANDRA_SCHEMA]')
    expect(code).toBe(2)
  })

  it('ends with 2 where a table is missing, or has other columns, and names them', async () => {
    const keyspace = await tablesForTest()
    const session = await openSession()
    await session.change(`DROP TABLE ${keyspace}.trade_by_symbol`)
    const missing = await refusal('--hosts', host(), '--keyspace', keyspace)
    expect(missing.stderr).toContain('trade_by_symbol')
    expect(missing.stderr).toContain('coinpipe tables create cassandra')
    expect(missing.stderr).toContain('[COINPIPE_CASSANDRA_SCHEMA]')
    expect(missing.code).toBe(2)

    await session.change(`CREATE TABLE ${keyspace}.trade_by_symbol (id text PRIMARY KEY, price double)`)
    const other = await refusal('--hosts', host(), '--keyspace', keyspace)
    expect(other.stderr).toMatch(/trade_by_symbol[\s\S]*double/)
    expect(other.stderr).toContain('coinpipe tables diff cassandra')
    expect(other.stderr).toContain('[COINPIPE_CASSANDRA_SCHEMA]')
    expect(other.code).toBe(2)
  })

  it('ends with 2 where the data centre has another name, and gives it', async () => {
    const {code, stderr} = await refusal('--hosts', host(), '--local-datacenter', 'seoul')
    expect(stderr).toContain("there is no data centre 'seoul' in this cluster")
    expect(stderr).toContain('--local-datacenter datacenter1')
    expect(code).toBe(2)
  })

  it.each([
    ['without a user', [], 'username'],
    [
      'with the wrong password',
      ['--set', 'sinks.cassandra.username=mallory', '--set', 'sinks.cassandra.password=literal:guess'],
      'mallory',
    ],
  ])('ends with 4 where Cassandra lets nobody in %s', async (_, flags, named) => {
    const port = await lockedCassandra()
    const {code, stderr} = await refusal('--hosts', '127.0.0.1', '--cassandra-port', String(port), ...flags)
    expect(stderr).toContain('[COINPIPE_CASSANDRA_AUTH]')
    expect(stderr).toContain(named)
    expect(stderr).not.toContain('guess')
    expect(code).toBe(4)
  })

  it.each(['sinks.cassandra.ttl', 'sinks.cassandra.ttlOf.trade'])('ends with 2 for more than 20 years of %s', async (setting) => {
    const {code, stderr} = await refusal('--hosts', host(), '--set', `${setting}=7301d`)
    expect(stderr).toContain(setting)
    expect(stderr).toContain('7300d')
    expect(code).toBe(2)
  })

  it('waits for nodes that are not there, says so, and stops at once when told to', async () => {
    const {child, saw, ended} = start(COINPIPE, await sink('--hosts', '127.0.0.1', '--cassandra-port', '1'))
    await saw(/COINPIPE_CASSANDRA_UNREACHABLE[\s\S]*no node of 127\.0\.0\.1/)
    child.kill('SIGINT')
    expect((await ended).stderr).not.toMatch(/\n\s+at /)
  })
})

describe('tables cassandra, with bad input', () => {
  it('ends with 4 in bounded time where nothing listens, or what listens says nothing', async () => {
    const silent = await silentServer()
    for (const nodes of ['127.0.0.1:1', silent]) {
      const startedMs = performance.now()
      const {code, stderr} = await coinpipe('tables', 'diff', 'cassandra', '--hosts', nodes)
      expect(stderr).toContain('[COINPIPE_CASSANDRA_UNREACHABLE]')
      expect(stderr).toContain('coinpipe cluster status')
      expect(code).toBe(4)
      expect(performance.now() - startedMs).toBeLessThan(BOUND_MS)
    }
  })
})
