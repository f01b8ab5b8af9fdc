import {cp, mkdir, mkdtemp, rename, rm, stat, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {javaProgram} from '../jvm/java.ts'
import {javaArguments} from '../jvm/launch.ts'
import type {ClusterPlan, PlannedNode} from '../plan.ts'
import {runTool} from '../tools.ts'
import {formatProperties} from './broker-settings.ts'
import {kafkaUuid} from './uuid.ts'

const CHECKPOINT = 'bootstrap.checkpoint'
const META = 'meta.properties'
const TIMEOUT_MS = 60_000
const HEAP_MB = 128

export interface Formatter {
  readonly cacheDir: string
  readonly classPath: readonly string[]
  readonly signal: AbortSignal
}

/**
 * Formats the storage of KRaft nodes that have none yet. A KRaft node starts only on a folder with two files: the features that its version begins with,
 * which are the same for every node and take Kafka's own tool two seconds to write, so they are kept in the cache; and who it is, a few lines.
 */
export async function formatStorage(
  plan: Pick<ClusterPlan, 'version' | 'clusterId'>,
  folders: ReadonlyMap<Pick<PlannedNode, 'number'>, string>,
  formatter: Formatter,
): Promise<void> {
  const blank = await Array.fromAsync(folders, async ([node, folder]) => ({node, folder, blank: !(await exists(join(folder, META)))}))
  const toFormat = blank.filter(({blank}) => blank)
  if (toFormat.length === 0) return
  const checkpoint = await bootstrapCheckpoint(plan, formatter)
  for (const {node, folder} of toFormat) {
    await mkdir(folder, {recursive: true})
    await cp(checkpoint, join(folder, CHECKPOINT))
    const meta = {version: 1, 'cluster.id': plan.clusterId, 'node.id': node.number, 'directory.id': kafkaUuid()}
    await writeFile(join(folder, META), formatProperties(meta))
  }
}

/** The path of the cached file, made where it is not there yet. Moved to its place as a whole: two commands that make it at once do no harm. */
async function bootstrapCheckpoint(
  {version, clusterId}: Pick<ClusterPlan, 'version' | 'clusterId'>,
  {cacheDir, classPath, signal}: Formatter,
): Promise<string> {
  const cached = join(cacheDir, 'formatted', `kafka-${version}`, CHECKPOINT)
  if (await exists(cached)) return cached
  await mkdir(dirname(cached), {recursive: true})
  const work = await mkdtemp(join(cacheDir, '.formatting-'))
  try {
    const settings = join(work, 'server.properties')
    await writeFile(settings, formatProperties(anyNode(join(work, 'data'))))
    const tool = ['kafka.tools.StorageTool', 'format', '--cluster-id', clusterId, '--config', settings]
    await writeFile(join(work, 'java.args'), javaArguments({classPath, heapMb: HEAP_MB, main: tool}))
    await runTool(javaProgram('java'), [`@${join(work, 'java.args')}`], {signal, timeoutMs: TIMEOUT_MS, remedy: ['install Java']})
    await rename(join(work, 'data', CHECKPOINT), cached)
    return cached
  } finally {
    await rm(work, {recursive: true, force: true})
  }
}

/** Enough for the tool; what it writes of the node is not used. */
function anyNode(data: string): Record<string, string | number> {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': '1@127.0.0.1:9093',
    'controller.listener.names': 'CONTROLLER',
    listeners: 'PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093',
    'log.dirs': data,
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}
