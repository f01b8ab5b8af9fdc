import {CoinpipeError, type ErrorDetails} from '../../core/errors.ts'

/** The spill's folder cannot be read or written: the disk is full, gone or not ours. */
export class SpillFailedError extends CoinpipeError {
  readonly code = 'COINPIPE_SPILL_FAILED'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {
      retry: {kind: 'later', afterMs: 1000},
      remedy: [
        'free space on that disk or make the folder writable; nothing that was acknowledged is lost',
        'or point --data-dir elsewhere',
      ],
      ...details,
    })
  }
}
