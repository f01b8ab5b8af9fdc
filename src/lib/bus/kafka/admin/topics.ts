import {InvalidInputError, UnknownTopicError} from '../../../core/errors.ts'
import type {TopicChanges, TopicConfig, TopicDescription} from '../../../core/ports/bus.ts'
import {checkTopicName} from '../../../core/topics.ts'
import {TopicMismatchError, topicMismatch} from '../../errors.ts'
import {checkMorePartitions, checkRetention, checkTopicConfig} from '../../limits.ts'
import {KafkaError, protocolErrorOf} from '../errors.ts'
import {alterSettings, topicSettings} from './configs.ts'
import {partitionOffsets} from './offsets.ts'
import type {Requests, TopicView} from './requests.ts'
import {changedSettings, newTopicSettings, retentionOf, withoutRetention} from './topic-config.ts'
import {untilAllBrokers} from './visible.ts'

/** Sorted; those that Kafka keeps for itself are left out. */
export async function listTopics(requests: Requests): Promise<string[]> {
  const {topics} = await requests.cluster(null)
  return topics
    .filter(({internal, name}) => !internal && !name.startsWith('__'))
    .map(({name}) => name)
    .sort()
}

export async function describeTopic(requests: Requests, topic: string): Promise<TopicDescription> {
  checkTopicName(topic)
  const [view, {all, configured}, offsets] = await Promise.all([
    requests.topic(topic),
    topicSettings(requests, topic),
    partitionOffsets(requests, [topic]),
  ])
  return {
    name: topic,
    partitions: view.partitions.length,
    ...retentionOf(all, view.partitions.length),
    replicas: replicasOf(view),
    settings: withoutRetention(configured),
    offsets,
    replication: view.partitions,
  }
}

/** `defaultReplicas` is for a topic whose config does not say. */
export async function ensureTopic(requests: Requests, topic: string, config: TopicConfig, defaultReplicas: number): Promise<void> {
  checkTopicName(topic)
  checkTopicConfig(topic, config)
  checkRetention(topic, config)
  const replicas = config.replicas ?? defaultReplicas
  let asked = false
  await requests.retrying(async () => {
    const found = await find(requests, topic)
    if (found !== null) return checkExisting(found, config)
    asked = true
    await create(requests, topic, config, replicas)
  })
  if (asked) await untilAllBrokers(requests, topic, hasAll(config.partitions), `create topic '${topic}'`)
}

export async function alterTopic(requests: Requests, topic: string, changes: TopicChanges): Promise<void> {
  checkTopicName(topic)
  checkRetention(topic, changes)
  const [{partitions}, {all}] = await Promise.all([requests.topic(topic), topicSettings(requests, topic)])
  await alterSettings(requests, {type: 'topic', name: topic}, changedSettings(changes, partitions.length, all), 'controller')
}

/** A limit by size stays what it is for the topic as a whole. */
export async function addPartitions(requests: Requests, topic: string, partitions: number): Promise<void> {
  checkTopicName(topic)
  const [view, {own}] = await Promise.all([requests.topic(topic), topicSettings(requests, topic)])
  checkMorePartitions(topic, view.partitions.length, partitions)
  const what = `add partitions to topic '${topic}'`
  await requests.retrying(async () => {
    if (((await find(requests, topic))?.partitions.length ?? 0) >= partitions) return
    const args = [[{name: topic, count: partitions, assignments: null}], requests.brokerTimeoutMs, false]
    await requests.client.call('controller', 'CreatePartitions', args, {what})
  })
  const {retentionBytes} = retentionOf(own, view.partitions.length)
  if (retentionBytes !== null) {
    await alterSettings(requests, {type: 'topic', name: topic}, changedSettings({retentionBytes}, partitions, own), 'controller')
  }
  await untilAllBrokers(requests, topic, hasAll(partitions), what)
}

export async function deleteTopic(requests: Requests, topic: string): Promise<void> {
  checkTopicName(topic)
  const what = `delete topic '${topic}'`
  let asked = false
  await requests.retrying(async () => {
    try {
      await requests.client.call('controller', 'DeleteTopics', [[{name: topic, topicId: null}], requests.brokerTimeoutMs], {what})
    } catch (error) {
      // Asked before without an answer: then it is gone because of that.
      if (asked && error instanceof UnknownTopicError) return
      asked = true
      throw error
    }
  })
  await untilAllBrokers(requests, topic, (view) => view === null, what)
}

/** Records can be published to all of them. */
function hasAll(partitions: number): (view: TopicView | null) => boolean {
  return (view) => view?.partitions.length === partitions && view.partitions.every(({leader}) => leader !== null)
}

/** Null where there is none. */
async function find(requests: Requests, topic: string): Promise<TopicView | null> {
  try {
    return (await requests.clusterOnce([topic])).topics[0] ?? null
  } catch (error) {
    if (error instanceof UnknownTopicError) return null
    throw error
  }
}

/** Where another makes it at the same time, the error says that the next look may find it. */
async function create(requests: Requests, topic: string, config: TopicConfig, replicas: number): Promise<void> {
  const configs = Object.entries(newTopicSettings(config)).map(([name, value]) => ({name, value}))
  const wanted = {name: topic, numPartitions: config.partitions, replicationFactor: replicas, assignments: [], configs}
  const what = `create topic '${topic}'`
  try {
    await requests.client.call('controller', 'CreateTopics', [[wanted], requests.brokerTimeoutMs, false], {what})
  } catch (error) {
    const reason = error instanceof Error ? protocolErrorOf(error.cause) : null
    if (reason === 'INVALID_REPLICATION_FACTOR') throw await tooFewBrokers(requests, topic, replicas, error)
    if (reason !== 'TOPIC_ALREADY_EXISTS') throw error
    throw new KafkaError(reason, `${what}: it is just being made by another, or not yet all deleted`, {
      cause: error,
      retry: {kind: 'later'},
      remedy: ['try again; a topic is deleted only when all brokers that hold it are up: coinpipe nodes'],
    })
  }
}

function checkExisting(view: TopicView, {partitions, replicas}: TopicConfig): void {
  const topic = view.name
  if (view.partitions.length !== partitions) throw topicMismatch(topic, view.partitions.length, partitions)
  const found = replicasOf(view)
  if (replicas === undefined || found >= replicas) return
  throw new TopicMismatchError(
    `topic '${topic}' has ${found} replica${found === 1 ? '' : 's'} of each partition, ${replicas} were asked for`,
    {
      remedy: [`set topics.${topic}.replicas to ${found} in coinpipe.yaml, or give it more with kafka-reassign-partitions`],
    },
  )
}

async function tooFewBrokers(requests: Requests, topic: string, replicas: number, cause: unknown): Promise<InvalidInputError> {
  const {length} = (await requests.clusterOnce([])).brokers
  const brokers = `${length} broker${length === 1 ? '' : 's'}`
  return new InvalidInputError(`topic '${topic}' cannot have ${replicas} replicas of each partition: the cluster has ${brokers} up`, {
    cause,
    remedy: [
      'start more brokers: coinpipe nodes --bus kafka',
      `or ask for ${length} or fewer: topics create --replicas ${length}, or bus.replicas or topics.${topic}.replicas in coinpipe.yaml`,
    ],
  })
}

/** Of the partition that has the fewest. */
function replicasOf({partitions}: TopicView): number {
  return Math.min(...partitions.map(({replicas}) => replicas.length))
}
