/**
 * A process that is killed in the middle of a transaction, for tests: `node transaction-process.ts BROKERS ID TOPIC COUNT` writes COUNT records to
 * partition 0 as a transaction, prints `written`, and never ends it.
 */
import {setTimeout as delay} from 'node:timers/promises'
import {KafkaClient} from '../../src/lib/bus/kafka/client.ts'
import {KAFKA_DEFAULTS} from '../../src/lib/bus/kafka/options.ts'
import {BatchWriter} from '../../src/lib/bus/kafka-platformatic/batch-writer.ts'
import {GroupMembers} from '../../src/lib/bus/kafka-platformatic/group-members.ts'
import {Transactions} from '../../src/lib/bus/kafka-platformatic/transactions.ts'
import {testContext} from './context.ts'

const FOR_EVER_MS = 600_000
const [brokers = '', id = '', topic = '', count = ''] = process.argv.slice(2)
const options = {...KAFKA_DEFAULTS, brokers: brokers.split(',')}
const {clock, logger} = testContext()
const client = new KafkaClient(options)
await client.connect()
const inner = new BatchWriter({client, clock, requestTimeoutMs: options.requestTimeoutMs})
const writer: Pick<BatchWriter, 'write'> = {
  write: async (parcels, how) => {
    const written = await inner.write(parcels, how)
    process.stdout.write('written\n')
    await delay(FOR_EVER_MS)
    return written
  },
}
const transactions = new Transactions({client, writer, members: new GroupMembers(), options, clock, logger})
const records = Array.from({length: Number(count)}, (_, at) => ({topic, partition: 0, key: null, value: `killed ${at}`}))
const epoch = await transactions.start(id)
await transactions.commit({id, epoch, records, bytes: 0, commits: []}, [{topic, partition: 0, compression: 'none', records}])
