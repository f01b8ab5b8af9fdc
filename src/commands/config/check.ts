import {existsSync} from 'node:fs'
import {BaseCommand} from '../../lib/cli/base-command.ts'
import {ConfigFileError} from '../../lib/config/errors.ts'
import {configFlags, configFlagValues} from '../../lib/config/flags.ts'
import {checkConfig, DEFAULT_CONFIG_FILE} from '../../lib/config/load.ts'
import {formatProblem, type Problem} from '../../lib/config/problem.ts'
import {EXIT} from '../../lib/core/errors.ts'

export interface ConfigCheckResult {
  readonly ok: boolean
  readonly file: string
  readonly errors: readonly Problem[]
  readonly warnings: readonly Problem[]
}

export default class ConfigCheck extends BaseCommand {
  static override summary = 'Check coinpipe.yaml without connecting to anything.'
  static override description =
    `Reports every problem in one go: where it is, the value seen, the values allowed. Exit code 1 where there is an error; warnings alone are fine.
Flags and COINPIPE_* variables that change settings are checked too.`
  static override examples = [
    {description: 'The file of this folder', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'Another file, as it would be with the embedded bus',
      command: '<%= config.bin %> <%= command.id %> --config production.yaml --bus embedded',
    },
  ]
  static override flags = configFlags

  async run(): Promise<ConfigCheckResult> {
    const {flags} = await this.parse(ConfigCheck)
    if (flags.config === undefined && !existsSync(DEFAULT_CONFIG_FILE)) {
      throw new ConfigFileError(`there is no ${DEFAULT_CONFIG_FILE} in this folder`, {
        remedy: ['name the file: coinpipe config check --config FILE'],
      })
    }
    const {dataDir} = this.start(flags)
    const checked = await checkConfig({path: flags.config, env: process.env, flags: configFlagValues(flags), defaultDataDir: dataDir})
    const errors = checked.problems.filter(({severity}) => severity === 'error')
    const warnings = checked.problems.filter(({severity}) => severity === 'warning')
    const file = checked.file ?? DEFAULT_CONFIG_FILE
    for (const problem of checked.problems) this.log(`${problem.severity}: ${formatProblem(problem)}`)
    this.log(errors.length === 0 ? `${file} is fine` : `${file}: ${errors.length} to correct`)
    if (errors.length > 0) this.exitWith(EXIT.wrong)
    return {ok: errors.length === 0, file, errors, warnings}
  }
}
