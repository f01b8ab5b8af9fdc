import {chooseBatches} from './cassandra/choose-batches.ts'
import {chooseBuckets} from './cassandra/choose-buckets.ts'
import {chooseNumbers} from './cassandra/choose-numbers.ts'
import {withNodes} from './cassandra/cluster.ts'

/** What the defaults of the tables and of the sink are chosen by; nothing is bound. */
export async function run(): Promise<boolean> {
  await withNodes(1, async (nodes) => {
    await chooseNumbers(nodes)
    await chooseBuckets(nodes)
    await chooseBatches(nodes)
  })
  return true
}
