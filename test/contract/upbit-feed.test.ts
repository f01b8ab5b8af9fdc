import {createUpbitFeed} from '../../src/lib/exchanges/upbit/feed.ts'
import {testContext} from '../helpers/context.ts'
import {QUICK, scriptedExchange, tradeFrame} from '../helpers/upbit-feed.ts'
import {sourceContract} from './source-contract.ts'

const options = {channels: ['trade'], symbols: ['BTC-KRW'], timings: QUICK} as const

sourceContract({
  name: 'Upbit feed',
  many: 5000,
  make: async () => {
    const exchange = await scriptedExchange({})
    const queue = {maxRecords: 500, batchRecords: 100}
    return {
      source: createUpbitFeed({...options, url: exchange.url, queue}, testContext()),
      produce: (from, to) => {
        const timeMs = Date.now()
        for (let id = from; id <= to; id++) exchange.sockets[0]?.send(tradeFrame('KRW-BTC', id, timeMs))
      },
      numberOf: (item) => (item.kind === 'record' && item.record.type === 'trade' ? Number(item.record.tradeId) : Number.NaN),
    }
  },
  makeUnreachable: () => createUpbitFeed({...options, url: 'ws://127.0.0.1:1'}, testContext()),
})
