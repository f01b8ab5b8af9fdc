import {cassandraFlags} from '../../lib/cli/cassandra-flags.ts'
import {storeArg} from '../../lib/cli/store-arg.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {EXIT} from '../../lib/core/errors.ts'
import {type Difference, type TablesDiff, withTables} from '../../lib/pipeline/tables.ts'

export default class TablesDiffCommand extends TableCommand {
  static override summary = 'Compare the tables with what the config asks for.'
  static override description =
    `Replication, tables, columns with their types, primary keys, clustering order, TTL and the other options that we set. Exits with 0 where all is as
wanted, and with 1 where something differs; the last column says which command mends it. Tables and columns of others are left alone.`
  static override examples = [
    {description: 'In the one local cluster that runs', command: '<%= config.bin %> <%= command.id %> cassandra'},
    {description: 'In a script', command: '<%= config.bin %> <%= command.id %> cassandra --hosts 10.0.0.1 --keyspace coinpipe --json'},
  ]
  static override args = {store: storeArg}
  static override flags = {...configFlags, ...cassandraFlags}

  async run(): Promise<TablesDiff> {
    const {flags, metadata} = await this.parse(TablesDiffCommand)
    const {config, context} = await this.startWithCassandra(flags, metadata)
    const answer = await withTables(config, flags, context, (tables) => tables.diff())
    const {keyspace, equal, version, differences, extra} = answer
    await this.print<Difference>(
      differences,
      [
        {title: 'table', text: ({table}) => table ?? '(keyspace)'},
        {title: 'what', text: ({what}) => what},
        {title: 'name', text: ({name}) => name},
        {title: 'found', text: ({found}) => found ?? '(missing)'},
        {title: 'wanted', text: ({wanted}) => wanted},
        {title: 'mended by', text: ({fix}) => (fix === 'none' ? 'another keyspace' : `tables ${fix}`)},
      ],
      `keyspace '${keyspace}' is as wanted, version ${version.wanted}`,
    )
    const others = extra.map(({table, column}) => (column === null ? table : `${table}.${column}`))
    if (others.length > 0) this.logToStderr(`not ours, which is fine: ${others.join(', ')}`)
    if (!equal) this.exitWith(EXIT.wrong)
    return answer
  }
}
