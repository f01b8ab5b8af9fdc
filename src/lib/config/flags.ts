import {Flags} from '@oclif/core'
import type {ConfigFlags} from './layers.ts'

/** Flags of every command that reads coinpipe.yaml; `--data-dir` is among the common ones. */
export const configFlags = {
  config: Flags.string({
    char: 'c',
    summary: 'Config file; default: coinpipe.yaml of the working directory, where there is one.',
    helpValue: '<file>',
    env: 'COINPIPE_CONFIG',
  }),
  set: Flags.string({
    summary:
      'Change one setting, for example serve.port=8080; may be repeated. Every setting also has a variable, here COINPIPE_SERVE_PORT.',
    helpValue: '<path=value>',
    multiple: true,
    multipleNonGreedy: true,
    env: 'COINPIPE_SET',
  }),
  bus: Flags.string({summary: 'The log that records travel on: embedded or kafka; short for --set bus.kind=…', env: 'COINPIPE_BUS'}),
  brokers: Flags.string({
    summary: 'Kafka brokers as host:port, comma-separated; short for --set bus.brokers=…',
    helpValue: '<host:port,…>',
    env: 'COINPIPE_BROKERS',
  }),
  'kafka-client': Flags.string({
    summary: 'Kafka driver: platformatic or kafkajs; short for --set bus.client=…',
    env: 'COINPIPE_KAFKA_CLIENT',
  }),
  durable: Flags.boolean({
    summary:
      'On Kafka, count a record as published only once it is safe from the death of any one broker; short for --set bus.durable=true',
    env: 'COINPIPE_DURABLE',
  }),
}

/** The parsed flags as the config's layers take them. */
export function configFlagValues(flags: {
  readonly set?: string | readonly string[] | undefined
  readonly bus?: string | undefined
  readonly brokers?: string | undefined
  readonly 'kafka-client'?: string | undefined
  readonly durable?: boolean | undefined
  readonly 'data-dir'?: string | undefined
}): ConfigFlags {
  // A repeated flag that its variable fills is a single text.
  return {
    set: [flags.set ?? []].flat(),
    bus: flags.bus,
    brokers: flags.brokers,
    kafkaClient: flags['kafka-client'],
    durable: flags.durable === undefined ? undefined : String(flags.durable),
    dataDir: flags['data-dir'],
  }
}
