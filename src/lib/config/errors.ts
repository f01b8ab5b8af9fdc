import {CoinpipeError, EXIT} from '../core/errors.ts'
import {formatProblem, type Problem} from './problem.ts'

/** The config cannot be used: every problem that was found, errors and warnings, is in `problems`. */
export class ConfigInvalidError extends CoinpipeError {
  readonly code = 'COINPIPE_CONFIG_INVALID'
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[]) {
    const errors = problems.filter((problem) => problem.severity === 'error')
    super([`${errors.length} ${errors.length === 1 ? 'problem' : 'problems'} in the config`, ...errors.map(formatProblem)].join('\n'), {
      exitCode: EXIT.usage,
      remedy: ["correct these values; 'coinpipe config check' looks at the file again, docs/config.md lists every key"],
    })
    this.problems = problems
  }
}

/** The config file, or a file that an import reads, cannot be read or written. */
export class ConfigFileError extends CoinpipeError {
  readonly code = 'COINPIPE_CONFIG_FILE'
  constructor(message: string, details: {readonly cause?: unknown; readonly remedy: readonly string[]}) {
    super(message, {...details, exitCode: EXIT.usage})
  }
}
