import {cassandraFlags} from '../../lib/cli/cassandra-flags.ts'
import {storeArg} from '../../lib/cli/store-arg.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {EXIT} from '../../lib/core/errors.ts'
import {counted} from '../../lib/ops/format.ts'
import {type TablesCreated, withTables} from '../../lib/pipeline/tables.ts'

export default class TablesCreate extends TableCommand {
  static override summary = 'Make the keyspace and the tables that a sink writes to.'
  static override description =
    `With the replicas, TTL, compaction and bucket of the sink's config. What is there already stays as it is, so that a script may run twice, and two at
once. Exits with 1 where a table is there that rows cannot be written to.`
  static override examples = [
    {description: 'In the one local cluster that runs', command: '<%= config.bin %> <%= command.id %> cassandra'},
    {
      description: 'Two copies of each row, kept for two hours',
      command:
        '<%= config.bin %> <%= command.id %> cassandra --hosts 10.0.0.1,10.0.0.2 --set sinks.cassandra.replicas=2 --set sinks.cassandra.ttl=2h',
    },
  ]
  static override args = {store: storeArg}
  static override flags = {...configFlags, ...cassandraFlags}

  async run(): Promise<TablesCreated> {
    const {flags, metadata} = await this.parse(TablesCreate)
    const {config, context} = await this.startWithCassandra(flags, metadata)
    const answer = await withTables(config, flags, context, (tables) => tables.create())
    const {keyspace, createdKeyspace, createdTables, kept, warnings, differences} = answer
    await this.print(
      [...createdTables.map((table) => ({table, state: 'created'})), ...kept.map((table) => ({table, state: 'was there'}))],
      [
        {title: 'table', text: ({table}) => table},
        {title: 'state', text: ({state}) => state},
      ],
    )
    for (const warning of warnings) this.logToStderr(`warning: ${warning}`)
    const made = createdKeyspace ? 'created' : 'was there'
    this.logToStderr(`keyspace '${keyspace}' ${made}; ${counted(createdTables.length, 'table')} created, ${kept.length} there already`)
    if (differences.length > 0) {
      this.logToStderr(`${counted(differences.length, 'difference')} from what is wanted: coinpipe tables diff cassandra`)
    }
    if (differences.some(({stopsWriting}) => stopsWriting)) this.exitWith(EXIT.wrong)
    return answer
  }
}
