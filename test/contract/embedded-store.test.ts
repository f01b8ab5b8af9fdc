import {join} from 'node:path'
import {onTestFinished} from 'vitest'
import {openMarketReader} from '../../src/lib/store/embedded/reader.ts'
import {createEmbeddedStore} from '../../src/lib/store/embedded/sink.ts'
import {testContext} from '../helpers/context.ts'
import {sinkItems} from '../helpers/market-records.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {marketReaderContract} from './market-reader-contract.ts'
import {sinkContract} from './sink-contract.ts'

async function storePath(): Promise<string> {
  return join(await tempDir(), 'store', 'coinpipe-store.sqlite')
}

sinkContract('embedded store', {keepsPositions: true}, async () => {
  const path = await storePath()
  return {
    create: () => {
      const sink = createEmbeddedStore({path}, testContext())
      onTestFinished(() => sink.close())
      return sink
    },
    storedTrades: async () => {
      const reader = openMarketReader({path}, testContext())
      await reader.connect()
      const {trades} = await reader.trades({exchange: 'upbit', symbol: 'BTC-KRW', limit: 100})
      await reader.close()
      return trades
    },
  }
})

marketReaderContract('embedded store', {order: 'arrival'}, async () => {
  const path = await storePath()
  const context = testContext()
  const sink = createEmbeddedStore({path}, context)
  await sink.connect()
  const reader = openMarketReader({path}, context)
  await reader.connect()
  onTestFinished(async () => {
    await reader.close()
    await sink.close()
  })
  return {
    reader,
    write: async (records) => {
      await sink.write({group: 'contract', items: sinkItems(records), next: []})
    },
  }
})
