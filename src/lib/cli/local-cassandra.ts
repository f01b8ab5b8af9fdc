import type {RunningCassandra} from '../cluster/running.ts'
import type {Context} from '../core/context.ts'
import {InvalidInputError} from '../core/errors.ts'

/**
 * The one local Cassandra cluster that runs, of all in these data folders; undefined where none does. Throws InvalidInputError where several run. A config may
 * have a data folder of its own, which `coinpipe cluster up` does not read: so give both.
 */
export async function localCassandra(dataDirs: readonly string[], context: Context): Promise<RunningCassandra | undefined> {
  // Loaded only now: most commands have no use for clusters.
  const {runningCassandra} = await import('../cluster/running.ts')
  const running = (await Promise.all([...new Set(dataDirs)].map((folder) => runningCassandra(folder, context)))).flat()
  const [only, ...more] = running
  if (more.length === 0) return only
  throw new InvalidInputError(`more than one local Cassandra cluster is running: ${running.map(({name}) => name).join(', ')}`, {
    remedy: running.map(
      ({name, hosts, port}) => `for ${name}: --hosts ${hosts.join(',')}${port === 9042 ? '' : ` --cassandra-port ${port}`}`,
    ),
  })
}
