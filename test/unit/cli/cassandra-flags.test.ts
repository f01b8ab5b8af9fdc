import {expect, it} from 'vitest'
import {atLocal} from '../../../src/lib/cli/cassandra-flags.ts'
import {cassandraSink} from '../../../src/lib/config/cassandra-sink.ts'

const RUNNING = {name: 'cassandra', hosts: ['127.0.0.11'], port: 9142, localDatacenter: 'here'}

it('finds a local cluster with its port and data centre', () => {
  expect(atLocal(cassandraSink.parse({kind: 'cassandra'}), RUNNING)).toMatchObject({
    hosts: ['127.0.0.11'],
    port: 9142,
    localDatacenter: 'here',
  })
})

it('keeps a port and a data centre that somebody asked for', () => {
  const asked = cassandraSink.parse({kind: 'cassandra', port: 9999, localDatacenter: 'seoul'})
  expect(atLocal(asked, RUNNING)).toMatchObject({hosts: ['127.0.0.11'], port: 9999, localDatacenter: 'seoul'})
})
