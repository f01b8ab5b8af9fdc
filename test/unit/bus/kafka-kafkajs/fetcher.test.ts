import type {Cluster} from 'kafkajs'
import {describe, expect, it, onTestFinished} from 'vitest'
import {KafkaAuthError} from '../../../../src/lib/bus/kafka/errors.ts'
import {translateKafkajsError} from '../../../../src/lib/bus/kafka-kafkajs/errors.ts'
import {Fetcher} from '../../../../src/lib/bus/kafka-kafkajs/fetcher.ts'
import {testContext} from '../../../helpers/context.ts'
import {until} from '../../../helpers/until.ts'

const PLACE = {topic: 't', partition: 0}

/** A broker that answers the first fetch with an error of kafkajs and has nothing for later ones; its log begins at `earliest`. */
function open(type: string, code: number, earliest = 0) {
  const refused = Object.assign(new Error(type), {name: 'KafkaJSProtocolError', type, code, ...PLACE})
  const answers = [Promise.reject(refused)]
  const fetch = () => answers.pop() ?? new Promise(() => undefined)
  const cluster = {
    refreshMetadataIfNecessary: async () => undefined,
    refreshMetadata: async () => undefined,
    findTopicPartitionMetadata: () => [{partitionId: 0, leader: 1}],
    findBroker: async () => ({fetch}),
    fetchTopicsOffset: async () => [{topic: 't', partitions: [{partition: 0, offset: String(earliest)}]}],
  } as unknown as Cluster
  let news = 0
  const restarted: unknown[] = []
  const fetcher = new Fetcher({
    cluster,
    isolation: 'committed',
    context: testContext(),
    onData: () => news++,
    onRestart: ({topic, partition}) => restarted.push({topic, partition}),
    translate: (error) => translateKafkajsError(error, 'read', ['nowhere:1']),
  })
  onTestFinished(() => fetcher.close())
  fetcher.assign([], [PLACE])
  const read = (offset: number) => fetcher.read({...PLACE, offset, maxRecords: 1, maxBytes: 1, atLeastOne: true})
  const told = () => until('the fetcher has something to tell', () => news > 0)
  return {read, told, restarted}
}

describe('kafkajs fetcher', () => {
  it('says so where it may not read, and does not ask for ever', async () => {
    const {read, told} = open('TOPIC_AUTHORIZATION_FAILED', 29)
    read(0)
    await told()
    expect(() => read(0)).toThrow(KafkaAuthError)
  })

  it('tells a log that was begun anew from one of which retention removed the beginning', async () => {
    const anew = open('OFFSET_OUT_OF_RANGE', 1, 0)
    anew.read(1_000)
    await anew.told()
    expect(anew.read(1_000)).toMatchObject({next: 0, missed: 0})
    expect(anew.restarted).toEqual([PLACE])
    const trimmed = open('OFFSET_OUT_OF_RANGE', 1, 1_500)
    trimmed.read(1_000)
    await trimmed.told()
    expect(trimmed.read(1_000)).toMatchObject({next: 1_500, missed: 500})
    expect(trimmed.restarted).toEqual([])
  })
})
