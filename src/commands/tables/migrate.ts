import {Flags} from '@oclif/core'
import {cassandraFlags} from '../../lib/cli/cassandra-flags.ts'
import {storeArg} from '../../lib/cli/store-arg.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {counted} from '../../lib/ops/format.ts'
import {type TablesMigrated, withTables} from '../../lib/pipeline/tables.ts'

export default class TablesMigrate extends TableCommand {
  static override summary = 'Bring the tables to what the config and this coinpipe want.'
  static override description =
    `Adds tables and columns that are missing, and changes replication, TTL, compaction and the other options that we set. Nothing is dropped, and sinks may go on
writing. What Cassandra cannot change (a primary key, a type) is refused before anything is done. Prints the statements; what is done is noted in schema_version.`
  static override examples = [
    {description: 'See what would be done', command: '<%= config.bin %> <%= command.id %> cassandra --dry-run'},
    {
      description: 'Keep rows for two hours from now on',
      command: '<%= config.bin %> <%= command.id %> cassandra --set sinks.cassandra.ttl=2h',
    },
  ]
  static override args = {store: storeArg}
  static override flags = {
    ...configFlags,
    ...cassandraFlags,
    'dry-run': Flags.boolean({summary: 'Print the statements, and change nothing.', env: 'COINPIPE_DRY_RUN'}),
  }

  async run(): Promise<TablesMigrated> {
    const {flags, metadata} = await this.parse(TablesMigrate)
    const {config, context} = await this.startWithCassandra(flags, metadata)
    const dryRun = flags['dry-run']
    const answer = await withTables(config, flags, context, (tables) => tables.migrate({dryRun}))
    const {keyspace, from, to, statements, notes, warnings} = answer
    if (!this.jsonEnabled()) for (const statement of statements) await this.write(`${statement};\n`)
    for (const warning of warnings) this.logToStderr(`warning: ${warning}`)
    for (const note of notes) this.logToStderr(`note: ${note}`)
    const version = from === to ? `version ${to}` : `version ${from ?? 'none'} to ${to}`
    const done = dryRun ? 'would be applied' : 'applied'
    this.logToStderr(`keyspace '${keyspace}', ${version}: ${counted(statements.length, 'statement')} ${done}`)
    return answer
  }
}
