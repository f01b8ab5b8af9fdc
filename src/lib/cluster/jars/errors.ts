import {CoinpipeError, EXIT} from '../../core/errors.ts'

/** A jar is not what the lock list says: damaged on the way, or put there by somebody else. It is not used. */
export class JarChecksumError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_JAR_CHECKSUM'
  constructor(file: string, seen: string, wanted: string, remedy: string) {
    super(`'${file}' has the SHA-256 ${seen} instead of ${wanted}, so it is not used`, {remedy: [remedy]})
  }
}

/** Nothing here says where jars come from: neither Maven nor the address of a repository. */
export class NoJarSourceError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_NO_JAR_SOURCE'
  constructor(missing: number, cacheDir: string) {
    super(`${missing} jars are not in '${cacheDir}' yet, and neither Maven nor the address of a Maven repository is known here`, {
      exitCode: EXIT.usage,
      remedy: [
        'install Maven, so that mvn is on the PATH',
        'or give the base address of a Maven repository with --repository or COINPIPE_REPOSITORY',
        `or copy '${cacheDir}' from a machine that has the jars`,
      ],
    })
  }
}

/** A repository, or Maven, did not give the jars. */
export class JarFetchError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_JAR_FETCH'
  constructor(what: string, reason: string, cause?: unknown) {
    super(`cannot fetch ${what}: ${reason}`, {
      cause,
      retry: {kind: 'later'},
      remedy: ['check the network, and the address given with --repository or in the settings of Maven; what is fetched already is kept'],
    })
  }
}

/** The folder that jars are kept in cannot be made or written to. */
export class JarCacheError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_JAR_CACHE'
  constructor(cacheDir: string, cause: Error) {
    super(`cannot keep jars in '${cacheDir}': ${cause.message}`, {
      cause,
      remedy: ['let the user who runs this own the folder, and see that its disk has room', 'or choose another one with --cache-dir'],
    })
  }
}
