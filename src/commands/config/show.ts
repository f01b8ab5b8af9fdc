import {Flags} from '@oclif/core'
import {stringify} from 'yaml'
import {BaseCommand} from '../../lib/cli/base-command.ts'
import {configFlags, configFlagValues} from '../../lib/config/flags.ts'
import {type LoadedConfig, loadConfig} from '../../lib/config/load.ts'
import {formatOrigin, formatProblem} from '../../lib/config/problem.ts'

export interface ShownSetting {
  readonly path: string
  readonly value: unknown
  /** `default`, `env NAME`, `flag --set` or `FILE:LINE:COLUMN`. */
  readonly origin: string
}

export default class ConfigShow extends BaseCommand {
  static override summary = 'Show the settings in force.'
  static override description = 'Every setting with its value: flag over variable over file over default. Secrets are masked.'
  static override examples = [
    {description: 'What is in force', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'And where each value came from',
      command: '<%= config.bin %> <%= command.id %> --config production.yaml --set serve.port=8080 --origin',
    },
  ]
  static override flags = {
    ...configFlags,
    origin: Flags.boolean({summary: 'Show where each value came from.', env: 'COINPIPE_ORIGIN'}),
  }

  async run(): Promise<readonly ShownSetting[]> {
    const {flags} = await this.parse(ConfigShow)
    const {dataDir} = this.start(flags)
    const loaded = await loadConfig({path: flags.config, env: process.env, flags: configFlagValues(flags), defaultDataDir: dataDir})
    for (const warning of loaded.warnings) this.logToStderr(`warning: ${formatProblem(warning)}`)
    const shown = loaded.settings.map(({display, value, origin}) => ({path: display, value, origin: formatOrigin(origin)}))
    if (!this.jsonEnabled()) for (const line of table(shown, flags.origin)) await this.write(`${line}\n`)
    return shown
  }
}

function table(settings: readonly ShownSetting[], withOrigin: boolean): string[] {
  const rows = settings.map(({path, value, origin}) => ({left: `${path}: ${inline(value)}`, origin}))
  const width = Math.min(80, Math.max(...rows.map(({left}) => left.length)))
  return rows.map(({left, origin}) => (withOrigin ? `${left.padEnd(width)}  ${origin}` : left))
}

function inline(value: LoadedConfig['settings'][number]['value']): string {
  return stringify(value, {collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false}).trim()
}
