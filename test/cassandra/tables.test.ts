import {describe, expect, it} from 'vitest'
import type {CassandraOptions, TableOptions} from '../../src/lib/store/cassandra/options.ts'
import {CassandraTables} from '../../src/lib/store/cassandra/schema/cassandra-tables.ts'
import {readKeyspace} from '../../src/lib/store/cassandra/schema/live.ts'
import type {CassandraSession} from '../../src/lib/store/cassandra/session.ts'
import {TABLES_VERSION, tablesFor} from '../../src/lib/store/cassandra/tables.ts'
import {cassandraUnderTest, keyspaceForTest, openSession, tableOptions, tablesForTest} from '../helpers/cassandra.ts'
import {testContext} from '../helpers/context.ts'
import {coinpipe} from '../helpers/run-cli.ts'

const NAMES = tablesFor('hour').map(({name}) => name)

interface Scene {
  readonly keyspace: string
  readonly session: CassandraSession
  /** The tables as a config with these changes wants them. */
  tables(changes?: Partial<TableOptions>): CassandraTables
}

async function sceneIn(keyspace: string, changes: Partial<CassandraOptions> = {}): Promise<Scene> {
  const session = await openSession({keyspace, ...changes})
  return {keyspace, session, tables: (changes = {}) => new CassandraTables(session, tableOptions(changes), testContext())}
}

async function newScene(): Promise<Scene> {
  return sceneIn(await tablesForTest())
}

async function emptyScene(): Promise<Scene> {
  return sceneIn(keyspaceForTest())
}

describe('create', () => {
  it('makes all tables, which then are as wanted; gc_grace_seconds is 10800', async () => {
    const {keyspace, session, tables} = await emptyScene()
    await expect(tables().create()).resolves.toEqual({
      keyspace,
      createdKeyspace: true,
      createdTables: NAMES,
      kept: [],
      warnings: [],
      differences: [],
    })
    await expect(tables().diff()).resolves.toMatchObject({equal: true, differences: [], extra: [], version: {found: TABLES_VERSION}})
    await tables().check()
    const rows = await session.query('SELECT table_name, gc_grace_seconds FROM system_schema.tables WHERE keyspace_name = ?', [keyspace])
    expect(rows.map((row) => [row.get('table_name'), row.get('gc_grace_seconds')])).toEqual(NAMES.toSorted().map((name) => [name, 10_800]))
  })

  it('leaves what is there as it is, and makes what is missing', async () => {
    const {keyspace, session, tables} = await newScene()
    await session.change(`DROP TABLE ${keyspace}.market`)
    const kept = NAMES.filter((name) => name !== 'market')
    await expect(tables().create()).resolves.toMatchObject({createdKeyspace: false, createdTables: ['market'], kept, differences: []})
    await expect(tables().create()).resolves.toMatchObject({createdTables: [], kept: NAMES})
  })

  it('may be done by several at once', async () => {
    const keyspace = keyspaceForTest()
    const scenes = await Promise.all([1, 2, 3, 4].map(() => sceneIn(keyspace)))
    const answers = await Promise.all(scenes.map(({tables}) => tables().create()))
    expect(answers.map(({differences}) => differences)).toEqual([[], [], [], []])
    for (const {tables} of scenes) await expect(tables().diff()).resolves.toMatchObject({equal: true})
  })

  it('makes a keyspace that was dropped anew, with tables of other ids', async () => {
    const {keyspace, session, tables} = await newScene()
    const ids = async () => (await readKeyspace(session, keyspace))?.tables.map(({id}) => id) ?? []
    const before = await ids()
    await session.change(`DROP KEYSPACE ${keyspace}`)
    await tables().create()
    const after = await ids()
    expect(after).toHaveLength(before.length)
    expect(after.filter((id) => before.includes(id))).toEqual([])
  })

  it('warns of fewer nodes than replicas, and works', async () => {
    const {tables} = await emptyScene()
    const replicas = cassandraUnderTest().hosts.length + 1
    await expect(tables({replicas}).create()).resolves.toMatchObject({warnings: [expect.stringContaining('nodes that are up')]})
    await expect(tables({replicas}).diff()).resolves.toMatchObject({equal: true})
  })

  it('refuses what cannot be before it connects', async () => {
    const {session} = await emptyScene()
    expect(() => new CassandraTables(session, tableOptions({ttlSeconds: 0}), testContext())).toThrow(/ttl of 0/)
  })
})

describe('diff', () => {
  it('finds what drifted, and check refuses only what stops writing', async () => {
    const {keyspace, session, tables} = await newScene()
    await session.change(`ALTER TABLE ${keyspace}.trade_by_symbol WITH default_time_to_live = 60`)
    await session.change(`ALTER TABLE ${keyspace}.trade_by_symbol ADD note text`)
    await session.change(`CREATE TABLE ${keyspace}.mine (k text PRIMARY KEY)`)
    await tables().check()
    await session.change(`ALTER TABLE ${keyspace}.trade_by_symbol DROP price`)
    await session.change(`DROP TABLE ${keyspace}.gap_by_symbol`)
    const {equal, differences, extra} = await tables().diff()
    expect(equal).toBe(false)
    expect(differences).toMatchObject([
      {table: 'trade_by_symbol', what: 'column', name: 'price', found: null, fix: 'migrate'},
      {table: 'trade_by_symbol', what: 'option', name: 'default_time_to_live', found: '60', wanted: '3600', fix: 'migrate'},
      {table: 'gap_by_symbol', what: 'table', found: null, fix: 'create'},
    ])
    expect(extra).toEqual([
      {table: 'mine', column: null},
      {table: 'trade_by_symbol', column: 'note'},
    ])
    await expect(tables().check()).rejects.toMatchObject({
      code: 'COINPIPE_CASSANDRA_SCHEMA',
      message: expect.stringMatching(/price decimal is missing.*gap_by_symbol is missing/),
    })
  })

  it('finds another clustering order, type and primary key', async () => {
    const {keyspace, session, tables} = await newScene()
    await session.change(`DROP TABLE ${keyspace}.gap_by_symbol`)
    await session.change(`CREATE TABLE ${keyspace}.gap_by_symbol (exchange text, symbol text, channel text, from_us bigint, to_us int,
      event_us bigint, received_us bigint, reason text, from_id text, to_id text, state text, filled bigint,
      PRIMARY KEY ((exchange, symbol), channel, from_us))`)
    await session.change(`DROP TABLE ${keyspace}.market`)
    await session.change(`CREATE TABLE ${keyspace}.market (scope text, exchange text, symbol text, seen_us bigint,
      PRIMARY KEY (scope, symbol, exchange))`)
    const {differences} = await tables().diff()
    expect(differences.filter(({what}) => what !== 'option')).toMatchObject([
      {table: 'gap_by_symbol', what: 'clustering order', found: 'channel asc, from_us asc', wanted: 'channel asc, from_us desc'},
      {table: 'gap_by_symbol', what: 'type', name: 'to_us', found: 'int', wanted: 'bigint'},
      {table: 'market', what: 'primary key', found: '((scope), symbol, exchange)', wanted: '((scope), exchange, symbol)'},
    ])
    await expect(tables().migrate()).rejects.toMatchObject({code: 'COINPIPE_CASSANDRA_SCHEMA', message: expect.stringContaining('to_us')})
  })
})

describe('migrate', () => {
  it('brings a keyspace of an older shape to what is wanted, with its rows', async () => {
    const {keyspace, session, tables} = await emptyScene()
    await session.change(`CREATE KEYSPACE ${keyspace} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`)
    await session.change(`CREATE TABLE ${keyspace}.trade_by_symbol (exchange text, symbol text, bucket_hour timestamp, event_time timestamp, id text,
      event_us bigint, received_us bigint, price decimal, size decimal, PRIMARY KEY ((exchange, symbol, bucket_hour), event_time, id))
      WITH CLUSTERING ORDER BY (event_time DESC, id ASC) AND default_time_to_live = 86400`)
    await session.query(
      `INSERT INTO ${keyspace}.trade_by_symbol (exchange, symbol, bucket_hour, event_time, id) VALUES ('upbit', 'BTC-KRW', 0, 0, '7')`,
    )
    const planned = await tables().migrate({dryRun: true})
    expect(planned).toMatchObject({from: null, to: TABLES_VERSION, dryRun: true})
    await expect(tables().diff()).resolves.toMatchObject({equal: false})
    const {statements, notes} = await tables().migrate()
    expect(statements.map(withoutIds)).toEqual(planned.statements.map(withoutIds))
    expect(statements.slice(0, 2)).toEqual([
      `ALTER KEYSPACE ${keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': '1'}`,
      `ALTER TABLE ${keyspace}.trade_by_symbol ADD IF NOT EXISTS (side text, sequence text)`,
    ])
    expect(notes).toEqual([expect.stringContaining('nodetool repair'), expect.stringContaining('trade_by_symbol (86400 s)')])
    await expect(tables().diff()).resolves.toMatchObject({equal: true})
    await expect(session.query(`SELECT id, side FROM ${keyspace}.trade_by_symbol`)).resolves.toMatchObject([{id: '7', side: null}])
    await expect(tables().migrate()).resolves.toMatchObject({from: TABLES_VERSION, statements: [], notes: []})
  })

  it('changes TTL, windows and grace, notes that, and drops nothing', async () => {
    const {keyspace, session, tables} = await newScene()
    const changes = {ttlSeconds: 7200, ttlSecondsOf: {candle: null}, windowMinutes: 10, gcGraceSeconds: 20_000}
    await session.change(`ALTER TABLE ${keyspace}.trade_by_symbol ADD note text`)
    await tables(changes).migrate()
    await expect(tables(changes).diff()).resolves.toMatchObject({equal: true, extra: [{table: 'trade_by_symbol', column: 'note'}]})
    const rows = await session.query(`SELECT version, changes FROM ${keyspace}.schema_version WHERE name = 'tables'`)
    expect(rows.map((row) => row.get('version'))).toEqual([TABLES_VERSION, TABLES_VERSION])
    expect(rows[0]?.get('changes')).toContain('default_time_to_live = 7200')
    expect(rows[1]?.get('changes')).toContain('created trade_by_symbol')
  })

  it('may be done by several at once', async () => {
    const {keyspace, session, tables} = await newScene()
    await session.change(`ALTER TABLE ${keyspace}.trade_by_symbol DROP side`)
    const others = await Promise.all([1, 2, 3].map(() => sceneIn(keyspace)))
    await Promise.all(others.map((scene) => scene.tables({ttlSeconds: 60}).migrate()))
    await expect(tables({ttlSeconds: 60}).diff()).resolves.toMatchObject({equal: true})
  })

  it('refuses another bucket, and changes nothing', async () => {
    const {tables} = await newScene()
    await expect(tables({bucket: 'day', ttlSeconds: 60}).migrate()).rejects.toMatchObject({
      code: 'COINPIPE_CASSANDRA_SCHEMA',
      message: expect.stringContaining('bucket_day'),
      remedy: expect.arrayContaining([expect.stringContaining('another keyspace')]),
    })
    await expect(tables().diff()).resolves.toMatchObject({equal: true})
  })

  it('refuses to add a column to candles that was dropped: Cassandra would hide what is written to it', async () => {
    const {keyspace, session, tables} = await newScene()
    await session.change(`ALTER TABLE ${keyspace}.candle_by_symbol DROP high`)
    await expect(tables().migrate()).rejects.toMatchObject({message: expect.stringContaining('column high decimal is missing')})
    await session.change(`ALTER TABLE ${keyspace}.candle_by_symbol ADD high decimal`)
    await session.query(
      `INSERT INTO ${keyspace}.candle_by_symbol (exchange, symbol, interval, origin, bucket, start_time, high) VALUES ('e', 's', '1m', 'ours', 0, 0, 1)
       USING TIMESTAMP 3`,
    )
    await expect(session.query(`SELECT high FROM ${keyspace}.candle_by_symbol`)).resolves.toMatchObject([{high: null}])
  })

  it('says what to do where there is no keyspace', async () => {
    const {tables} = await emptyScene()
    await expect(tables().migrate()).rejects.toMatchObject({
      code: 'COINPIPE_CASSANDRA_SCHEMA',
      remedy: [expect.stringContaining('tables create cassandra')],
    })
  })
})

it('leaves tables of a newer coinpipe alone', async () => {
  const {keyspace, session, tables} = await newScene()
  await session.query(`INSERT INTO ${keyspace}.schema_version (name, version, applied_at) VALUES ('tables', ?, 0)`, [TABLES_VERSION + 1])
  const refused = {code: 'COINPIPE_CASSANDRA_SCHEMA', message: expect.stringContaining(`of version ${TABLES_VERSION + 1}`)}
  await expect(tables().create()).rejects.toMatchObject(refused)
  await expect(tables().migrate()).rejects.toMatchObject(refused)
  await expect(tables().check()).rejects.toMatchObject(refused)
  await expect(tables().diff()).resolves.toMatchObject({differences: [{what: 'version', found: String(TABLES_VERSION + 1), fix: 'none'}]})
})

describe('coinpipe tables', () => {
  const flagsFor = (keyspace: string) => {
    const hosts = cassandraUnderTest().hosts.join(',')
    return ['cassandra', '--hosts', hosts, '--keyspace', keyspace, '--set', 'sinks.cassandra.replicas=1']
  }

  it('creates what diff says is missing', async () => {
    const flags = flagsFor(keyspaceForTest())
    expect(await coinpipe('tables', 'diff', ...flags)).toMatchObject({code: 1, stdout: expect.stringContaining('tables create')})
    const created = await coinpipe('tables', 'create', ...flags)
    expect(created).toMatchObject({code: 0, stderr: expect.stringContaining(`${NAMES.length} tables created`)})
    expect(created.stdout).toMatch(/^trade_by_symbol +created$/m)
    const {code, stdout} = await coinpipe('tables', 'diff', ...flags, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({equal: true, differences: []})
  })

  it('changes what diff says has changed', async () => {
    const flags = [...flagsFor(await tablesForTest()), '--set', 'sinks.cassandra.ttl=2h']
    const drifted = await coinpipe('tables', 'diff', ...flags)
    expect(drifted.code).toBe(1)
    expect(drifted.stdout).toMatch(/^trade_by_symbol +option +default_time_to_live +3600 +7200 +tables migrate$/m)
    const planned = await coinpipe('tables', 'migrate', ...flags, '--dry-run')
    expect(planned).toMatchObject({code: 0, stderr: expect.stringContaining('would be applied')})
    const migrated = await coinpipe('tables', 'migrate', ...flags)
    expect(migrated).toMatchObject({code: 0, stdout: planned.stdout, stderr: expect.stringContaining('keep the TTL')})
  })

  it('says at once that what is there cannot be written to', async () => {
    const flags = [...flagsFor(await tablesForTest()), '--set', 'sinks.cassandra.bucket=day']
    const {code, stderr} = await coinpipe('tables', 'create', ...flags)
    expect(code).toBe(1)
    expect(stderr).toContain('coinpipe tables diff cassandra')
  })
})

/** A keyspace that is altered first gives other ids to tables that are made after that. */
function withoutIds(statement: string): string {
  return statement.replace(/ID = \S+/, 'ID = …')
}
