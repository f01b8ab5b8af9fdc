import {CoinpipeError} from '../../core/errors.ts'

/** Not one worker of `sink autoscale` could work: each ended soon after its start. Has the exit code of the last of them, and its remedy. */
export class WorkersFailedError extends CoinpipeError {
  readonly code = 'COINPIPE_WORKERS_FAILED'
}
