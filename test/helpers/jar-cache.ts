import {homedir} from 'node:os'
import {join} from 'node:path'

/** Where tests and benches keep the jars of servers, so that they are fetched once for all of them. */
export function jarCache(): string {
  return process.env.COINPIPE_CACHE_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'coinpipe')
}
