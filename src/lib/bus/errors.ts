import {
  AbortedError,
  CoinpipeError,
  DeadlineError,
  type ErrorDetails,
  EXIT,
  FencedError,
  InvalidInputError,
  NotConnectedError,
  UnknownTopicError,
} from '../core/errors.ts'

/** Another process held the write lock of the log for longer than we wait. */
export class BusLockedError extends CoinpipeError {
  readonly code = 'COINPIPE_BUS_LOCKED'
}

/** The disk of the log is full. What was to be written is not in the log. */
export class DiskFullError extends CoinpipeError {
  readonly code = 'COINPIPE_BUS_DISK_FULL'
}

/** The log cannot be written or opened for a reason of the file system: rights, a read-only mount, an input/output error. */
export class LogUnwritableError extends CoinpipeError {
  readonly code = 'COINPIPE_BUS_UNWRITABLE'
}

/** The log file is damaged. */
export class CorruptLogError extends CoinpipeError {
  readonly code = 'COINPIPE_BUS_CORRUPT'
}

/** The file is something else than a coinpipe log, and is left as it is. */
export class NotALogError extends CoinpipeError {
  readonly code = 'COINPIPE_BUS_NOT_A_LOG'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.usage, ...details})
  }
}

/** A newer coinpipe wrote the log. */
export class LogVersionError extends CoinpipeError {
  readonly code = 'COINPIPE_BUS_VERSION'
}

/** The writer thread ended by itself. What it was about to write may or may not be in the log. */
export class WriterLostError extends CoinpipeError {
  readonly code = 'COINPIPE_BUS_WRITER_LOST'
}

/** The topic exists with another number of partitions. */
export class TopicMismatchError extends CoinpipeError {
  readonly code = 'COINPIPE_TOPIC_MISMATCH'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.usage, ...details})
  }
}

/** The group has members, and what was asked would pull the offsets from under them. */
export class GroupActiveError extends CoinpipeError {
  readonly code = 'COINPIPE_GROUP_ACTIVE'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.usage, ...details})
  }
}

/** The topic has no such partition. */
export class PartitionOutOfRangeError extends CoinpipeError {
  readonly code = 'COINPIPE_PARTITION_OUT_OF_RANGE'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.usage, ...details})
  }
}

/** A record is larger than the log takes. */
export class RecordTooLargeError extends CoinpipeError {
  readonly code = 'COINPIPE_RECORD_TOO_LARGE'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.usage, ...details})
  }
}

export function unknownTopic(topic: string): UnknownTopicError {
  return new UnknownTopicError(`there is no topic '${topic}'`, {remedy: ['check how it is spelled; docs/config.md lists the topics']})
}

export function topicMismatch(topic: string, found: number, wanted: number): TopicMismatchError {
  return new TopicMismatchError(`topic '${topic}' has ${found} partitions, ${wanted} were asked for`, {
    remedy: [
      `ask for as many: --partitions ${found}, or set topics.${topic}.partitions to ${found} in coinpipe.yaml; coinpipe topics add-partitions gives it more`,
    ],
  })
}

export function groupActive(group: string, members: number): GroupActiveError {
  return new GroupActiveError(`group '${group}' has ${members} running member${members === 1 ? '' : 's'}`, {
    remedy: [`stop them first (a killed one is gone within 10 s)`],
  })
}

export function partitionOutOfRange(topic: string, partition: number, partitions: number): PartitionOutOfRangeError {
  return new PartitionOutOfRangeError(`partition ${partition} of topic '${topic}' does not exist: it has 0 to ${partitions - 1}`, {
    remedy: [`check topics.${topic}.pin in coinpipe.yaml`],
  })
}

export function recordTooLarge(topic: string, bytes: number, maxBytes: number): RecordTooLargeError {
  return new RecordTooLargeError(`a record for topic '${topic}' has ${bytes} bytes; the largest allowed is ${maxBytes}`, {
    remedy: ['publish it in parts, or put the content elsewhere and publish where it is'],
  })
}

export function takenAway(group: string, topic: string, partition: number): FencedError {
  return new FencedError(
    `partition ${partition} of '${topic}' was taken away from this member of group '${group}'; nothing was committed`,
    {
      remedy: ['nothing to do: its new holder goes on from the last committed record'],
    },
  )
}

export function instanceReplaced(group: string, instanceId: string): FencedError {
  return new FencedError(`another member of group '${group}' took over the instance id '${instanceId}'`, {
    remedy: ['give each running process its own instance id'],
  })
}

export function transactionFenced(id: string): FencedError {
  return new FencedError(`a newer holder of transaction '${id}' started; nothing was written`, {
    remedy: ['run one process per transaction id, or give each its own id'],
  })
}

/** The errors that may cross from the writer thread. */
const BY_CODE = new Map<string, new (message: string, details: ErrorDetails) => CoinpipeError>([
  ['COINPIPE_BUS_LOCKED', BusLockedError],
  ['COINPIPE_BUS_DISK_FULL', DiskFullError],
  ['COINPIPE_BUS_UNWRITABLE', LogUnwritableError],
  ['COINPIPE_BUS_CORRUPT', CorruptLogError],
  ['COINPIPE_BUS_NOT_A_LOG', NotALogError],
  ['COINPIPE_BUS_VERSION', LogVersionError],
  ['COINPIPE_UNKNOWN_TOPIC', UnknownTopicError],
  ['COINPIPE_TOPIC_MISMATCH', TopicMismatchError],
  ['COINPIPE_GROUP_ACTIVE', GroupActiveError],
  ['COINPIPE_PARTITION_OUT_OF_RANGE', PartitionOutOfRangeError],
  ['COINPIPE_FENCED', FencedError],
  ['COINPIPE_INVALID_INPUT', InvalidInputError],
  ['COINPIPE_NOT_CONNECTED', NotConnectedError],
  ['COINPIPE_DEADLINE', DeadlineError],
  ['COINPIPE_ABORTED', AbortedError],
])

/** A {@link CoinpipeError} as plain data for `postMessage`; a bug travels as its stack. */
export type Failure =
  | (Pick<CoinpipeError, 'code' | 'message' | 'remedy' | 'retry' | 'exitCode'> & {readonly kind: 'known'; readonly cause: string | null})
  | {readonly kind: 'bug'; readonly message: string; readonly stack: string}

export function toFailure(error: unknown): Failure {
  if (error instanceof CoinpipeError) {
    const {code, message, remedy, retry, exitCode, cause} = error
    return {kind: 'known', code, message, remedy, retry, exitCode, cause: cause === undefined ? null : String(cause)}
  }
  const bug = error instanceof Error ? error : new Error(String(error))
  return {kind: 'bug', message: bug.message, stack: bug.stack ?? bug.message}
}

export function fromFailure(failure: Failure): Error {
  const Class = failure.kind === 'known' ? BY_CODE.get(failure.code) : undefined
  if (failure.kind === 'bug' || Class === undefined) {
    const bug = new Error(failure.message)
    if (failure.kind === 'bug') bug.stack = failure.stack
    return bug
  }
  const {remedy, retry, exitCode, cause} = failure
  return new Class(failure.message, {remedy, retry, exitCode, ...(cause === null ? {} : {cause})})
}
