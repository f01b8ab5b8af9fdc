import {describe, expect, it, onTestFinished} from 'vitest'
import {KafkaAdmin} from '../../src/lib/bus/kafka/admin/kafka-admin.ts'
import {unique} from '../contract/bus-world.ts'
import {testContext} from '../helpers/context.ts'
import {kafkaOptions, kafkaUnderTest} from '../helpers/kafka.ts'
import {toolController, toolLag, toolTopic} from '../helpers/kafka-tools.ts'
import {coinpipe} from '../helpers/run-cli.ts'

const CALLS = 30

async function json(...args: readonly string[]) {
  const {code, stdout, stderr} = await coinpipe(...args, '--bus', 'kafka', '--brokers', kafkaUnderTest().brokers.join(','), '--json')
  expect({code, stderr}).toEqual({code: 0, stderr: ''})
  return JSON.parse(stdout)
}

/** A topic of three partitions, and a group that has committed in each of them. */
async function topicAndGroup() {
  const admin = new KafkaAdmin(kafkaOptions(), testContext())
  onTestFinished(() => admin.close())
  await admin.connect()
  const [topic, group] = [unique('ops'), unique('ops-group')]
  await admin.ensureTopic(topic, {partitions: 3, replicas: 2, retentionMs: 86_400_000, retentionBytes: null})
  onTestFinished(() => admin.deleteTopic(topic))
  await admin.resetGroup(
    group,
    [0, 1, 2].map((partition) => ({topic, partition, offset: 0})),
  )
  onTestFinished(() => admin.deleteGroup(group))
  return {topic, group}
}

describe('coinpipe and the tools of Kafka', () => {
  it('agree about the lag of a group', async () => {
    const {group} = await topicAndGroup()
    const nobody = {memberId: null, clientId: null, host: null}
    const told = (await toolLag(group)).map((row) => ({group, ...row, ...nobody}))
    expect(await json('groups', 'lag', group)).toEqual(told)
    expect(await json('groups', 'lag')).toEqual(expect.arrayContaining(told))
  })

  it('agree about a topic', async () => {
    const {topic} = await topicAndGroup()
    const {replication, settings} = await toolTopic(topic)
    const view = await json('topics', 'describe', topic)
    expect(view.partitions).toMatchObject(replication.map(({topic: _, ...partition}) => partition))
    expect(view).toMatchObject({retentionMs: 86_400_000, retentionBytes: null})
    expect({...view.settings, 'retention.ms': '86400000', 'retention.bytes': '-1'}).toEqual(settings)
  })

  it.runIf(kafkaUnderTest().mode === 'kraft')(
    `agree about the active controller, ${CALLS} times in a row`,
    {timeout: 180_000},
    async () => {
      const active = await toolController()
      for (let call = 0; call < CALLS; call++) {
        const nodes: readonly {readonly id: string; readonly controller: boolean}[] = await json('nodes')
        expect(nodes.filter(({controller}) => controller).map(({id}) => id)).toEqual([active])
      }
    },
  )
})
