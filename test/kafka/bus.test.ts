import {KafkaBus} from '../../src/lib/bus/kafka/kafka-bus.ts'
import {KafkajsDriver} from '../../src/lib/bus/kafka-kafkajs/driver.ts'
import {PlatformaticDriver} from '../../src/lib/bus/kafka-platformatic/driver.ts'
import {busAdminContract} from '../contract/bus-admin-contract.ts'
import {busContract} from '../contract/bus-contract.ts'
import {busGroupsContract} from '../contract/bus-groups-contract.ts'
import {busTransactionsContract} from '../contract/bus-transactions-contract.ts'
import type {BusContractOptions} from '../contract/bus-world.ts'
import {testContext} from '../helpers/context.ts'
import {kafkaOptions, kafkaUnderTest} from '../helpers/kafka.ts'

const DRIVERS = {platformatic: PlatformaticDriver, kafkajs: KafkajsDriver}

/** Topics and groups have names of their own in each test, so that the cluster need not be emptied. */
function driverOf(name: keyof typeof DRIVERS): BusContractOptions {
  const Driver = DRIVERS[name]
  return {
    name: `${name} on Kafka with ${kafkaUnderTest().mode}`,
    bytesOnly: true,
    open: async () => ({
      handle: () => {
        // With fewer acknowledgements a record may be read a moment later than it was published.
        const [options, context] = [kafkaOptions({acks: 'all'}), testContext()]
        const bus = new KafkaBus(options, (...parts) => new Driver(...parts), context)
        return {bus, admin: bus}
      },
      destroy: async () => undefined,
    }),
  }
}

for (const name of ['platformatic', 'kafkajs'] as const) {
  busContract(driverOf(name))
  busGroupsContract(driverOf(name))
  busTransactionsContract(driverOf(name))
}
// The admin is the same for both.
busAdminContract(driverOf('platformatic'))
