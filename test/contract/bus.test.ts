import {busContract} from './bus-contract.ts'
import {embeddedBus, memoryBus} from './bus-drivers.ts'
import {busGroupsContract} from './bus-groups-contract.ts'
import {busTransactionsContract} from './bus-transactions-contract.ts'

for (const driver of [memoryBus, embeddedBus]) {
  busContract(driver)
  busGroupsContract(driver)
  busTransactionsContract(driver)
}
