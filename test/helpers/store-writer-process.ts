/**
 * Writes numbered trades to a store until it is killed: `node store-writer-process.ts PATH GROUP COUNT`. Goes on from the position that the store
 * keeps, as the runner does, and prints the position reached after each batch.
 */
import {createEmbeddedStore} from '../../src/lib/store/embedded/sink.ts'
import {testContext} from './context.ts'
import {sinkItems, trade} from './market-records.ts'

const [path = '', group = '', count = '0'] = process.argv.slice(2)
const BATCH = 20
const PARTITION = {topic: 'market.trade', partition: 0}

const sink = createEmbeddedStore({path}, testContext())
await sink.connect()
let [{offset} = {offset: 0}] = await sink.positions(group, [PARTITION])
while (offset < Number(count)) {
  const items = sinkItems(Array.from({length: BATCH}, (_, i) => trade(String(offset + i))))
  offset += BATCH
  await sink.write({group, items, next: [{...PARTITION, offset}]})
  process.stdout.write(`${offset}\n`)
}
await sink.close()
