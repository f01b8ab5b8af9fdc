/**
 * A machine whose clock is off: writes one ticker through the sink and ends. Arguments: host, keyspace, how far the clock is off in milliseconds, and the
 * ticker as JSON. Everything in this process that asks for the time gets the wrong one, the driver too.
 */

import {CASSANDRA_DEFAULTS, TABLE_DEFAULTS, WRITE_DEFAULTS} from '../../src/lib/store/cassandra/options.ts'
import {createCassandraSink} from '../../src/lib/store/cassandra/sink.ts'
import {testContext} from './context.ts'
import {sinkItems} from './market-records.ts'

const [host = '', keyspace = '', offMs = '0', json = ''] = process.argv.slice(2)

const rightNow = Date.now
Date.now = () => rightNow() + Number(offMs)

const sink = createCassandraSink(
  {...CASSANDRA_DEFAULTS, hosts: [host], keyspace},
  {...TABLE_DEFAULTS, replicas: 1},
  WRITE_DEFAULTS,
  testContext(),
)
await sink.connect()
const {refused} = await sink.write({group: 'clocks', items: sinkItems([JSON.parse(json)], 'market.ticker'), next: []})
await sink.close()
process.exitCode = refused.length
