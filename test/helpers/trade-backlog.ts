import {EmbeddedBus} from '../../src/lib/bus/embedded/embedded-bus.ts'
import {encodeRecord} from '../../src/lib/core/codec.ts'
import {defaultTopicConfig, TOPICS} from '../../src/lib/core/topics.ts'
import {dataPaths} from '../../src/lib/pipeline/paths.ts'
import {testContext} from './context.ts'
import {trade} from './market-records.ts'

const SYMBOLS = 40
const AT_ONCE = 5000

/** Puts trades numbered from `first` on the embedded log of a data folder, spread over its partitions. */
export async function publishTrades(dataDir: string, count: number, first = 0): Promise<void> {
  const bus = new EmbeddedBus({path: dataPaths(dataDir).log}, testContext())
  await bus.connect()
  try {
    await bus.ensureTopic(TOPICS.trade, defaultTopicConfig(TOPICS.trade))
    for (let at = first; at < first + count; at += AT_ONCE) {
      await bus.publish(Array.from({length: Math.min(AT_ONCE, first + count - at)}, (_, index) => message(at + index)))
    }
  } finally {
    await bus.close()
  }
}

function message(number: number) {
  const symbol = `S${number % SYMBOLS}-KRW`
  return {topic: TOPICS.trade, key: `upbit:${symbol}`, value: encodeRecord(trade(String(number), {symbol}))}
}
