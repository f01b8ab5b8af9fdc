import {CoinpipeError, type ErrorDetails, EXIT} from '../../core/errors.ts'

/** A node of a server cannot be as asked: a number without a host, memory that does not suffice, an address that is none. */
export class NodeOptionsError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_NODE_OPTIONS'
  constructor(message: string, details: ErrorDetails) {
    super(message, {exitCode: EXIT.usage, ...details})
  }
}

/** The same node runs already, from the same folder. */
export class NodeRunsError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_NODE_RUNS'
  constructor(name: string, pid: number) {
    super(`${name} runs already, as process ${pid}`, {
      exitCode: EXIT.usage,
      remedy: [`stop it first: kill ${pid}`, 'or give this one another folder with --data-dir'],
    })
  }
}

/** The folder of a node cannot be made or written to. */
export class NodeFolderError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_NODE_FOLDER'
  constructor(folder: string, cause: Error) {
    super(`cannot write to '${folder}': ${cause.message}`, {
      cause,
      remedy: ['let the user who runs this own the folder, and see that its disk has room', 'or choose another one with --data-dir'],
    })
  }
}
