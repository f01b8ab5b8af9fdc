/** The only file of this room that talks to brokers: one connection to one broker, one question, so that the answer is that broker's own. */

import {pbkdf2Sync, randomBytes} from 'node:crypto'
import {alterUserScramCredentialsV0, Connection, describeQuorumV0, metadataV12} from '@platformatic/kafka'

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

export interface PartitionView {
  readonly topic: string
  readonly partition: number
  /** -1 where there is none. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
}

/** The cluster as one broker knows it. */
export interface BrokerView {
  /** Numbers of the brokers that are registered and not fenced. */
  readonly brokers: readonly number[]
  /** In ZooKeeper mode the active controller; in KRaft mode any broker, so ask {@link quorumLeader}. */
  readonly controllerId: number
  readonly partitions: readonly PartitionView[]
}

const METADATA_TOPIC = '__cluster_metadata'
const SCRAM_ITERATIONS = 4096
const SCRAM = [
  {mechanism: 1, digest: 'sha256', bytes: 32},
  {mechanism: 2, digest: 'sha512', bytes: 64},
] as const

/** Rejects with the client's error where the broker does not answer in time. */
export async function viewOf(broker: BrokerAddress, timeoutMs: number): Promise<BrokerView> {
  const {brokers, controllerId, topics} = await ask(broker, timeoutMs, (connection) => metadataV12.api.async(connection, null, false))
  const partitions = topics.flatMap(({name, partitions}) =>
    partitions.map(({partitionIndex, leaderId, replicaNodes, isrNodes}) => {
      return {topic: name ?? '', partition: partitionIndex, leader: leaderId, replicas: replicaNodes, inSync: isrNodes}
    }),
  )
  return {brokers: brokers.map(({nodeId}) => nodeId), controllerId, partitions}
}

/** The number of the active KRaft controller, or null while there is none. */
export async function quorumLeader(broker: BrokerAddress, timeoutMs: number): Promise<number | null> {
  const {topics} = await ask(broker, timeoutMs, (connection) =>
    describeQuorumV0.api.async(connection, [{topicName: METADATA_TOPIC, partitions: [{partitionIndex: 0}]}]),
  )
  const leader = topics[0]?.partitions[0]?.leaderId ?? -1
  return leader < 0 ? null : leader
}

/** Makes a user for SCRAM-SHA-256 and -512, or gives it this password. In ZooKeeper mode only the active controller takes it. */
export async function putScramUser(broker: BrokerAddress, user: string, password: string, timeoutMs: number): Promise<void> {
  const credentials = SCRAM.map(({mechanism, digest, bytes}) => {
    const salt = randomBytes(16)
    return {
      name: user,
      mechanism,
      iterations: SCRAM_ITERATIONS,
      salt,
      saltedPassword: pbkdf2Sync(password, salt, SCRAM_ITERATIONS, bytes, digest),
    }
  })
  // One request for each: a KRaft controller takes a user only once in a request.
  for (const credential of credentials) {
    await ask(broker, timeoutMs, (connection) => alterUserScramCredentialsV0.api.async(connection, [], [credential]))
  }
}

async function ask<T>({host, port}: BrokerAddress, timeoutMs: number, question: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = new Connection('coinpipe-cluster', {connectTimeout: timeoutMs, requestTimeout: timeoutMs})
  // What it says is said to whoever waits for the question, too.
  connection.on('error', () => undefined)
  try {
    await connection.connect(host, port)
    return await question(connection)
  } finally {
    await connection.close()
  }
}
