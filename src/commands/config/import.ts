import {Flags} from '@oclif/core'
import {BaseCommand} from '../../lib/cli/base-command.ts'
import {importFiles} from '../../lib/config/cryptostream/import-files.ts'

export interface ConfigImportResult {
  /** File written, null where the config went to stdout. */
  readonly out: string | null
  readonly config: Readonly<Record<string, unknown>>
  readonly notes: readonly string[]
}

export default class ConfigImport extends BaseCommand {
  static override summary = "Turn CryptoStream's configuration into a coinpipe.yaml."
  static override description =
    `Sections of producer.conf become symbol groups pinned to their partitions, the brokers come from .env. What is not taken over, or not as it stood, is named on stderr and in the file's first lines.
Passwords are never copied. The result passes 'coinpipe config check'.`
  static override examples = [
    {
      description: 'To a file',
      command:
        '<%= config.bin %> <%= command.id %> --producer conf/producer.conf --consumer conf/consumer.conf --env-file .env --out coinpipe.yaml',
    },
    {
      description: 'Only the producers that docker compose starts, to stdout',
      command: '<%= config.bin %> <%= command.id %> --producer conf/producer.conf --compose docker-compose.yaml',
    },
  ]
  static override flags = {
    producer: Flags.string({summary: 'producer.conf', helpValue: '<file>', required: true, env: 'COINPIPE_PRODUCER'}),
    consumer: Flags.string({summary: 'consumer.conf', helpValue: '<file>', env: 'COINPIPE_CONSUMER'}),
    'env-file': Flags.string({summary: '.env, for the brokers', aliases: ['env'], helpValue: '<file>', env: 'COINPIPE_ENV_FILE'}),
    compose: Flags.string({
      summary: 'docker-compose.yaml: sections that none of its services starts are left out.',
      helpValue: '<file>',
      env: 'COINPIPE_COMPOSE',
    }),
    out: Flags.string({summary: 'File to write.', description: 'Default: stdout.', helpValue: '<file>', env: 'COINPIPE_OUT'}),
    yes: Flags.boolean({char: 'y', summary: 'Replace the file that --out names.', env: 'COINPIPE_YES'}),
  }

  async run(): Promise<ConfigImportResult> {
    const {flags} = await this.parse(ConfigImport)
    this.start(flags)
    const {text, config, notes} = await importFiles({
      producer: flags.producer,
      consumer: flags.consumer,
      env: flags['env-file'],
      compose: flags.compose,
      out: flags.out,
      replace: flags.yes,
    })
    for (const note of notes) this.logToStderr(`note: ${note}`)
    if (flags.out !== undefined) this.logToStderr(`wrote ${flags.out}; look at it with: coinpipe config check --config ${flags.out}`)
    else if (!this.jsonEnabled()) await this.write(text)
    return {out: flags.out ?? null, config, notes}
  }
}
