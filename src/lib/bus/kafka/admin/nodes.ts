import type {apiVersionsV4, describeLogDirsV4} from '@platformatic/kafka'
import {CoinpipeError, InvalidInputError, NotConnectedError} from '../../../core/errors.ts'
import type {BusNode, NodeSetting} from '../../../core/ports/bus.ts'
import {orLate} from '../../deadline.ts'
import {alterSettings, brokerSettings} from './configs.ts'
import {type Controllers, controllers} from './quorum.ts'
import type {ClusterView, Requests} from './requests.ts'
import {releaseOfMetadataVersion, releaseOfProtocolVersion} from './versions.ts'

const CLIENT_SOFTWARE = ['coinpipe', '0']
const METADATA_VERSION = 'metadata.version'
const PROTOCOL_VERSION = 'inter.broker.protocol.version'
/** Settings of a listener go by its name, so that no list has all of them. */
const LISTENER_SETTING = /^listener\.name\./

/** What a broker says of itself; null where it does not answer. */
interface Answers {
  readonly version: string | null
  readonly diskBytes: number | null
}

const SILENT: Answers = {version: null, diskBytes: null}

/**
 * Brokers, controllers of their own, and what is down and still holds replicas. A node is alive when the cluster counts it in and, if it is a broker, it
 * answers.
 */
export async function nodes(requests: Requests): Promise<BusNode[]> {
  const cluster = await requests.cluster(null)
  const asked = cluster.brokers.map(async ({id}) => [id, await answersOf(requests, id)] as const)
  // At the same time: each may wait for one that hangs.
  const [quorum, answers] = await Promise.all([controllers(requests, cluster), Promise.all(asked)])
  const byId = new Map(answers)
  return idsOf(cluster, quorum).map((id) => node(id, byId.get(id) ?? SILENT, cluster, quorum))
}

export async function nodeSettings(requests: Requests, id: string): Promise<NodeSetting[]> {
  return await brokerSettings(requests, await brokerId(requests, id))
}

export async function alterNode(requests: Requests, id: string, settings: Readonly<Record<string, string | null>>): Promise<void> {
  const node = await brokerId(requests, id)
  // Brokers keep what they do not know, without a word: a slip of the pen would seem to work.
  const known = new Set((await brokerSettings(requests, node)).map(({name}) => name))
  const unknown = Object.keys(settings).find((name) => !known.has(name) && !LISTENER_SETTING.test(name))
  if (unknown !== undefined) {
    throw new InvalidInputError(`broker ${id} has no setting '${unknown}'`, {remedy: [`list them: coinpipe nodes config ${id}`]})
  }
  await alterSettings(requests, {type: 'broker', name: id}, settings, {node})
}

async function brokerId(requests: Requests, id: string): Promise<number> {
  const cluster = await requests.cluster(null)
  const ids = idsOf(cluster, {active: null, all: []})
  const found = ids.find((candidate) => String(candidate) === id)
  if (found !== undefined) return found
  throw new InvalidInputError(`there is no broker '${id}': the cluster has ${ids.join(', ')}`, {
    remedy: [`name one of them, see: coinpipe nodes`],
  })
}

function idsOf({brokers, topics}: ClusterView, {all}: Controllers): number[] {
  const holders = topics.flatMap(({partitions}) => partitions.flatMap(({replicas}) => replicas))
  const ids = new Set([...brokers.map(({id}) => id), ...all.map(({id}) => id), ...holders])
  return [...ids].sort((a, b) => a - b)
}

function node(id: number, {version, diskBytes}: Answers, cluster: ClusterView, {active, all}: Controllers): BusNode {
  const broker = cluster.brokers.find((candidate) => candidate.id === id)
  const controller = all.find((candidate) => candidate.id === id)
  const isController = id === active
  const counts = countsOf(id, cluster)
  return {
    id: String(id),
    address: broker?.address ?? controller?.address ?? null,
    // What holds replicas is a broker: it is down once the cluster leaves it out, though its controller is missed a little later.
    alive: broker === undefined ? counts.replicas === 0 && (controller?.alive ?? false) : version !== null,
    controller: isController,
    rack: broker?.rack ?? null,
    version,
    diskBytes,
    ...counts,
  }
}

function countsOf(id: number, {topics}: ClusterView): Pick<BusNode, 'leaders' | 'replicas' | 'outOfSync'> {
  const held = topics.flatMap(({partitions}) => partitions.filter(({replicas}) => replicas.includes(id)))
  return {
    leaders: held.filter(({leader}) => leader === id).length,
    replicas: held.length,
    outOfSync: held.filter(({isr}) => !isr.includes(id)).length,
  }
}

async function answersOf(requests: Requests, id: number): Promise<Answers> {
  const [version, diskBytes] = await Promise.all([versionOf(requests, id), diskBytesOf(requests, id)])
  return {version, diskBytes}
}

/** The release, for example `4.3`; null where the broker does not answer. */
async function versionOf(requests: Requests, id: number): Promise<string | null> {
  return await orNull(requests, async () => {
    const what = `ask broker ${id} for its version`
    const answer = await requests.client.call<apiVersionsV4.ApiVersionsResponse>({node: id}, 'ApiVersions', CLIENT_SOFTWARE, {what})
    const feature = answer.supportedFeatures?.find(({name}) => name === METADATA_VERSION)
    if (feature !== undefined) return releaseOfMetadataVersion(feature.maxVersion)
    const setting = (await brokerSettings(requests, id)).find(({name}) => name === PROTOCOL_VERSION)
    return releaseOfProtocolVersion(setting?.value ?? '') ?? 'unknown'
  })
}

async function diskBytesOf(requests: Requests, id: number): Promise<number | null> {
  return await orNull(requests, async () => {
    const what = `ask broker ${id} for its disks`
    const answer = await requests.client.call<describeLogDirsV4.DescribeLogDirsResponse>({node: id}, 'DescribeLogDirs', [null], {what})
    const sizes = answer.results.flatMap(({topics}) => topics).flatMap(({partitions}) => partitions.map(({partitionSize}) => partitionSize))
    return Number(sizes.reduce((sum, size) => sum + size, 0n))
  })
}

/** A node that is in trouble must not keep the others from being shown. */
async function orNull<T>(requests: Requests, ask: () => Promise<T>): Promise<T | null> {
  try {
    return await orLate(ask(), requests.connectTimeoutMs, 'asking a broker')
  } catch (error) {
    if (!(error instanceof CoinpipeError) || error instanceof NotConnectedError) throw error
    return null
  }
}
