import type {Trade} from '../../src/lib/core/records.ts'
import {MemorySink, MemoryTable} from '../helpers/memory-sink.ts'
import {sinkContract} from './sink-contract.ts'

for (const keepsPositions of [true, false]) {
  sinkContract(`the test sink ${keepsPositions ? 'with' : 'without'} positions`, {keepsPositions}, async () => {
    const table = new MemoryTable()
    return {
      create: () => new MemorySink(table, {keepsPositions}),
      storedTrades: async () =>
        [...table.rows.values()].filter(
          (record): record is Trade => record.type === 'trade' && record.exchange === 'upbit' && record.symbol === 'BTC-KRW',
        ),
    }
  })
}
