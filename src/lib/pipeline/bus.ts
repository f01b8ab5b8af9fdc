import {EmbeddedBus} from '../bus/embedded/embedded-bus.ts'
import type {CreateKafkaDriver} from '../bus/kafka/driver.ts'
import {KafkaBus} from '../bus/kafka/kafka-bus.ts'
import {KAFKA_DEFAULTS, type KafkaOptions} from '../bus/kafka/options.ts'
import {KafkajsDriver} from '../bus/kafka-kafkajs/driver.ts'
import {PlatformaticDriver} from '../bus/kafka-platformatic/driver.ts'
import type {Config} from '../config/load.ts'
import {busReplicas} from '../config/replication.ts'
import type {Context} from '../core/context.ts'
import {InvalidInputError} from '../core/errors.ts'
import {given} from '../core/given.ts'
import type {Bus, BusAdmin} from '../core/ports/bus.ts'
import {dataPaths} from './paths.ts'

const DRIVERS: Readonly<Record<Config['bus']['client'], CreateKafkaDriver>> = {
  platformatic: (options, context, dependencies) => new PlatformaticDriver(options, context, dependencies),
  kafkajs: (options, context, dependencies) => new KafkajsDriver(options, context, dependencies),
}

/** The bus that the config asks for, not yet connected. Throws InvalidInputError where it is Kafka and no brokers are named. */
export function createBus(config: Config, context: Context): Bus & BusAdmin {
  if (config.bus.kind === 'embedded') return new EmbeddedBus({path: dataPaths(config.dataDir).log, topics: config.topics}, context)
  return new KafkaBus(kafkaOptions(config), DRIVERS[config.bus.client], context)
}

/** Opens the bus for as long as `use` runs. */
export async function withBus<T>(config: Config, context: Context, use: (bus: Bus & BusAdmin) => Promise<T>): Promise<T> {
  const bus = createBus(config, context)
  try {
    await bus.connect()
    return await use(bus)
  } finally {
    await bus.close()
  }
}

function kafkaOptions({bus, topics}: Config): KafkaOptions {
  if (bus.brokers.length === 0) {
    throw new InvalidInputError('no Kafka brokers are named, and no local cluster is running', {
      remedy: ['name them: --brokers host:port,… or bus.brokers in coinpipe.yaml', 'or start a local cluster: coinpipe cluster up kafka'],
    })
  }
  const {brokers, clientId, compression, tls, sasl, durable} = bus
  return {
    ...KAFKA_DEFAULTS,
    brokers,
    clientId,
    compression,
    topics,
    replicas: busReplicas(bus),
    acks: durable ? 'all' : bus.acks,
    idempotent: durable,
    lingerMs: bus.linger,
    batchBytes: bus.batchSize,
    deliveryTimeoutMs: bus.deliveryTimeout,
    requestTimeoutMs: bus.requestTimeout,
    sessionTimeoutMs: bus.sessionTimeout,
    transactionTimeoutMs: bus.transactionTimeout,
    ...given({
      tls: tls && given({ca: tls.ca?.reveal(), cert: tls.cert?.reveal(), key: tls.key?.reveal()}),
      sasl: sasl && {...sasl, password: sasl.password.reveal()},
    }),
  }
}
