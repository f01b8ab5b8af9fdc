import {busAdminContract} from './bus-admin-contract.ts'
import {embeddedBus, memoryBus} from './bus-drivers.ts'

for (const driver of [memoryBus, embeddedBus]) busAdminContract(driver)
