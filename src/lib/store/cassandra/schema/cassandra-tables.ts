import type {Context} from '../../../core/context.ts'
import {CassandraSchemaError} from '../errors.ts'
import type {TableOptions} from '../options.ts'
import type {CassandraSession} from '../session.ts'
import {TABLES_VERSION, tablesFor} from '../tables.ts'
import {type Difference, differences, type Extra, extras, type Versions} from './diff.ts'
import {type LiveKeyspace, readKeyspace} from './live.ts'
import {planMigration} from './migration.ts'
import {checkTableOptions, tableWarnings} from './options-check.ts'
import {refuseNewer, refuseUnfixable, refuseUnwritable} from './refuse.ts'
import {createKeyspace, createTable} from './render.ts'
import {type KeyspaceShape, wantedShape} from './shape.ts'
import {tableId} from './table-id.ts'
import {readVersion, writeVersion} from './version.ts'

export interface TablesDiff {
  readonly keyspace: string
  readonly equal: boolean
  readonly version: Versions
  readonly differences: readonly Difference[]
  /** Tables and columns that are not ours; they are fine. */
  readonly extra: readonly Extra[]
}

export interface TablesCreated {
  readonly keyspace: string
  readonly createdKeyspace: boolean
  readonly createdTables: readonly string[]
  /** Tables that were there already; they stay as they are. */
  readonly kept: readonly string[]
  readonly warnings: readonly string[]
  /** What creating does not change. */
  readonly differences: readonly Difference[]
}

export interface TablesMigrated {
  readonly keyspace: string
  readonly from: number | null
  readonly to: number
  readonly dryRun: boolean
  /** The statements, in the order in which they were, or would be, applied. */
  readonly statements: readonly string[]
  /** What is left to do by hand, and what stays as it was. */
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}

interface Seen {
  readonly live: LiveKeyspace | null
  readonly diff: TablesDiff
}

/** The tables in one keyspace: makes them, compares them, brings them up to date. Nothing is ever dropped. */
export class CassandraTables {
  readonly #session: CassandraSession
  readonly #options: TableOptions
  readonly #context: Context
  readonly #wanted: KeyspaceShape
  readonly #versioned: ReadonlySet<string>

  /** Throws InvalidInputError for options that no table can have. The session is the caller's, to connect and to close. */
  constructor(session: CassandraSession, options: TableOptions, context: Context) {
    const {keyspace, localDatacenter} = session.options
    checkTableOptions(keyspace, options)
    this.#session = session
    this.#options = options
    this.#context = context
    this.#wanted = wantedShape(keyspace, localDatacenter, options)
    const versioned = tablesFor(options.bucket).filter(({timestamps}) => timestamps === 'versions')
    this.#versioned = new Set(versioned.map(({name}) => name))
  }

  /** What is there against what is wanted. */
  async diff(): Promise<TablesDiff> {
    return (await this.#look()).diff
  }

  /**
   * Makes the keyspace and the tables that are not there; several may do so at once. What is there stays as it is. Rejects with CassandraSchemaError where the
   * keyspace belongs to a newer coinpipe.
   */
  async create(): Promise<TablesCreated> {
    const {live, diff} = await this.#look()
    refuseNewer(diff)
    const {name, replication, tables} = this.#wanted
    if (live === null) await this.#change([createKeyspace(name, replication)])
    const there = new Set(live?.tables.map((table) => table.name))
    const created = tables.filter((table) => !there.has(table.name))
    if (created.length > 0) {
      // Read after all nodes agreed on the keyspace: whoever else makes it sees the same.
      const {writtenUs} = await this.#existing()
      await this.#change(created.map((table) => createTable(name, table, tableId(name, writtenUs, table.name))))
    }
    const after = await this.#noteCreated(created.map((table) => `created ${table.name}`))
    return {
      keyspace: name,
      createdKeyspace: live === null,
      createdTables: created.map((table) => table.name),
      kept: tables.filter((table) => there.has(table.name)).map((table) => table.name),
      warnings: this.#warnings(),
      differences: after.differences,
    }
  }

  /**
   * Changes what can be changed to what is wanted, adds what is missing, and notes the version. Rejects with CassandraSchemaError, before anything is changed,
   * where there is no keyspace, where it belongs to a newer coinpipe, and where something differs that only another keyspace can mend.
   */
  async migrate({dryRun = false}: {readonly dryRun?: boolean} = {}): Promise<TablesMigrated> {
    const {live, diff} = await this.#look()
    refuseNewer(diff)
    if (live === null) {
      throw new CassandraSchemaError(`there is no keyspace '${diff.keyspace}'`, {remedy: ['make it: coinpipe tables create cassandra']})
    }
    refuseUnfixable(diff)
    const {statements, notes} = planMigration(live, this.#wanted)
    const isBehind = diff.version.found !== diff.version.wanted
    if (!dryRun) {
      await this.#change(statements)
      if (statements.length > 0 || isBehind) await this.#note(statements)
    }
    const {found: from, wanted: to} = diff.version
    return {keyspace: diff.keyspace, from, to, dryRun, statements, notes, warnings: this.#warnings()}
  }

  /** For writers. Rejects with CassandraSchemaError that names all that is missing or of another shape; what else differs is logged. */
  async check(): Promise<void> {
    const {diff} = await this.#look()
    refuseUnwritable(diff)
    const others = diff.differences.map(({table, name, found, wanted}) => ({table, name, found, wanted}))
    if (others.length === 0) return
    this.#context.logger.warn(
      {keyspace: diff.keyspace, differences: others, remedy: 'coinpipe tables migrate cassandra'},
      'tables are not as the config says',
    )
  }

  async #look(): Promise<Seen> {
    const wanted = this.#wanted
    const live = await readKeyspace(this.#session, wanted.name)
    const version = {found: await readVersion(this.#session, live), wanted: TABLES_VERSION}
    const found = differences(live, wanted, version, this.#versioned)
    return {live, diff: {keyspace: wanted.name, equal: found.length === 0, version, differences: found, extra: extras(live, wanted)}}
  }

  /** The keyspace that must be there by now. */
  async #existing(): Promise<LiveKeyspace> {
    const {name} = this.#wanted
    const live = await readKeyspace(this.#session, name)
    if (live) return live
    throw new CassandraSchemaError(`keyspace '${name}' was dropped meanwhile`)
  }

  async #change(statements: readonly string[]): Promise<void> {
    this.#context.logger.debug({statements}, 'changing tables')
    await this.#session.change(...statements)
  }

  /** Notes the version, unless older tables still lack something that only a migration adds. */
  async #noteCreated(changes: readonly string[]): Promise<TablesDiff> {
    const {diff} = await this.#look()
    const isDue = changes.length > 0 || diff.version.found === null
    if (!isDue || diff.differences.some(({stopsWriting}) => stopsWriting)) return diff
    await this.#note(changes)
    return (await this.#look()).diff
  }

  #note(changes: readonly string[]): Promise<void> {
    return writeVersion(this.#session, this.#wanted.name, TABLES_VERSION, changes, this.#nowMs())
  }

  #warnings(): readonly string[] {
    const {localDatacenter} = this.#session.options
    const up = this.#session.nodes().filter((node) => node.up && node.datacenter === localDatacenter)
    return tableWarnings(this.#options, up.length, this.#nowMs())
  }

  #nowMs(): number {
    return Math.floor(this.#context.clock.nowUs() / 1000)
  }
}
