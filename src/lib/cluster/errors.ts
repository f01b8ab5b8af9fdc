import {CoinpipeError, type ErrorDetails, EXIT} from '../core/errors.ts'

/** A cluster cannot look as asked: no nodes, too few addresses, a name that is no folder name. */
export class ClusterOptionsError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_OPTIONS'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.usage, ...details})
  }
}

/** A cluster of this name exists and looks otherwise than asked. */
export class ClusterDiffersError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_DIFFERS'
  constructor(kind: string, name: string, differences: readonly string[]) {
    super(`cluster '${name}' exists and has ${differences.join(', ')}`, {
      exitCode: EXIT.usage,
      remedy: [
        `start it as it is: coinpipe cluster up ${kind} --cluster ${name}`,
        `or make it anew, its data is then gone: coinpipe cluster down --cluster ${name} --wipe`,
        'or make another one beside it, with --cluster and --hosts',
      ],
    })
  }
}

/** There is no such cluster, no such node, or more than one that may be meant. */
export class ClusterUnknownError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_UNKNOWN'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.usage, ...details})
  }
}

/** The file that says what belongs to a cluster cannot be read or written. */
export class ClusterStateError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_STATE'
}

/** Another command changes the same cluster, and does not come to an end. */
export class ClusterBusyError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_BUSY'
  constructor(name: string, waitedMs: number, details: ErrorDetails = {}) {
    super(`another command has been changing cluster '${name}' for ${waitedMs} ms`, {
      retry: {kind: 'later'},
      remedy: ['wait for it, or stop it with Ctrl-C, and try again'],
      ...details,
    })
  }
}

/** A program that clusters need is not installed, or is too old. */
export class ToolMissingError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_TOOL_MISSING'
}

/** A program that prepares a cluster (Maven, Go, keytool, docker) failed. */
export class ToolFailedError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_TOOL_FAILED'
}

/** A port that a node needs is taken by another process. */
export class PortTakenError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_PORT_TAKEN'
}

/** This machine does not have an address that a node needs. */
export class AddressMissingError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_ADDRESS_MISSING'
}

/** A node ended while it started. */
export class NodeFailedError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_NODE_FAILED'
}

/** The nodes run, but do not serve together within the time given. */
export class ClusterNotReadyError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_NOT_READY'
}

/** A signal could not be sent, or did not do what it should. */
export class NodeSignalError extends CoinpipeError {
  readonly code = 'COINPIPE_CLUSTER_NODE_SIGNAL'
}
