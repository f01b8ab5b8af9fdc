import {expect, it, onTestFinished} from 'vitest'
import {KafkaClient} from '../../src/lib/bus/kafka/client.ts'
import type {KafkaOptions} from '../../src/lib/bus/kafka/options.ts'
import {kafkaOptions, kafkaUnderTest} from '../helpers/kafka.ts'
import {passage} from '../helpers/passage.ts'
import {silentServer} from '../helpers/silent-server.ts'

function open(changes: Partial<KafkaOptions>): KafkaClient {
  const client = new KafkaClient(kafkaOptions(changes))
  onTestFinished(() => client.close())
  return client
}

it('starts from any address that answers, whatever the others do', async () => {
  const [address = ''] = kafkaUnderTest().brokers
  const client = open({brokers: [await silentServer(), '127.0.0.1:1', address], connectTimeoutMs: 300})
  const startMs = performance.now()
  await client.connect()
  expect(performance.now() - startMs).toBeLessThan(2_000)
  expect((await client.metadata([])).brokers.size).toBe(3)
})

it('stays with the brokers that it has heard of when the address to start from is down', async () => {
  const [address = ''] = kafkaUnderTest().brokers
  const door = await passage(address)
  const client = open({brokers: [`127.0.0.1:${door.port}`]})
  await client.connect()
  await door.close()
  client.forgetLeaders()
  expect((await client.metadata([], {fresh: true})).brokers.size).toBe(3)
  expect(await client.coordinator({group: 'any'})).toBeGreaterThan(0)
})

it('says that a topic or a request is unknown to the brokers', async () => {
  const client = open({})
  await client.connect()
  await expect(client.topic('not-there')).rejects.toMatchObject({code: 'COINPIPE_UNKNOWN_TOPIC'})
  await expect(client.api('NoSuchRequest')).rejects.toMatchObject({code: 'COINPIPE_UNSUPPORTED'})
})
