import {CoinpipeError, EXIT} from '../core/errors.ts'

/** A metric was used against its definition in core/metric-names.ts: a mistake in our code, never in the user's input. */
export class MetricMisuseError extends CoinpipeError {
  readonly code = 'COINPIPE_METRIC_MISUSE'
  constructor(message: string) {
    super(message, {exitCode: EXIT.bug, remedy: ['this is a bug in coinpipe: please report it with this message']})
  }
}
