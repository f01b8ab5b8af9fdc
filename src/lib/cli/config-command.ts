import {configFlagValues} from '../config/flags.ts'
import type {CassandraFlags} from '../config/layers.ts'
import {type Config, loadConfig} from '../config/load.ts'
import {formatProblem} from '../config/problem.ts'
import {BaseCommand, type CommandContext, type StartFlags} from './base-command.ts'
import {cassandraFlagValues, withLocalCassandra} from './cassandra-flags.ts'
import {withLocalBrokers} from './local-brokers.ts'
import {chosenStore, type StoreName} from './store-flags.ts'

type ConfigFlagsParsed = StartFlags & Parameters<typeof configFlagValues>[0] & {readonly config?: string | undefined}

interface FlagMetadata {
  readonly flags: Readonly<Record<string, {readonly setFromDefault?: boolean | undefined} | undefined>>
}

/** Base of the commands that run by coinpipe.yaml. */
export abstract class ConfigCommand extends BaseCommand {
  /** Reads the config, then starts by it: what it says of `log` and `dataDir` holds where no flag or variable says otherwise. */
  protected async startWithConfig(
    flags: ConfigFlagsParsed,
    metadata: FlagMetadata,
    cassandra?: CassandraFlags,
  ): Promise<{config: Config; context: CommandContext}> {
    const {config, warnings} = await loadConfig({
      path: flags.config,
      env: process.env,
      flags: {...configFlagValues(flags), cassandra},
      defaultDataDir: this.config.dataDir,
    })
    const isDefault = (name: string) => metadata.flags[name]?.setFromDefault ?? false
    const context = this.start({
      ...flags,
      'data-dir': config.dataDir,
      'log-level': isDefault('log-level') ? config.log.level : flags['log-level'],
      'log-format': isDefault('log-format') ? config.log.format : flags['log-format'],
    })
    for (const warning of warnings) context.logger.warn({warning: formatProblem(warning)}, 'config')
    return {config: await withLocalBrokers(config, this.config.dataDir, context), context}
  }

  /** The same where pipelines may write to Cassandra: sinks that name no nodes get those of a local cluster. */
  protected async startWithLocalCassandra(flags: ConfigFlagsParsed, metadata: FlagMetadata) {
    const {config, context} = await this.startWithConfig(flags, metadata)
    const used = new Set(config.pipelines.flatMap(({sinks}) => sinks))
    const isUsed = Object.entries(config.sinks).some(([name, {kind}]) => kind === 'cassandra' && used.has(name))
    return {config: isUsed ? await withLocalCassandra(config, this.config.dataDir, context) : config, context}
  }

  /** The same for commands that go to Cassandra: the config has a sink of that kind, with the nodes of a local cluster where it names none. */
  protected async startWithCassandra(
    flags: ConfigFlagsParsed & Parameters<typeof cassandraFlagValues>[0],
    metadata: FlagMetadata,
  ): Promise<{config: Config; context: CommandContext}> {
    const {config, context} = await this.startWithConfig(flags, metadata, cassandraFlagValues(flags))
    return {config: await withLocalCassandra(config, this.config.dataDir, context), context}
  }
  /** The same for commands that read from a store, which may be Cassandra. */
  protected async startWithStore(
    flags: ConfigFlagsParsed & Parameters<typeof cassandraFlagValues>[0] & Parameters<typeof chosenStore>[1],
    metadata: FlagMetadata,
  ): Promise<{config: Config; context: CommandContext; choice: {readonly store: StoreName; readonly sink: string | undefined}}> {
    const {config, context} = await this.startWithConfig(flags, metadata, cassandraFlagValues(flags))
    const choice = {store: chosenStore(config, flags), sink: flags.sink}
    return {config: choice.store === 'cassandra' ? await withLocalCassandra(config, this.config.dataDir, context) : config, context, choice}
  }
}
