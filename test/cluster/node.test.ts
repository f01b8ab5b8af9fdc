import {once} from 'node:events'
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {createConnection, createServer} from 'node:net'
import {join} from 'node:path'
import {Admin} from '@platformatic/kafka'
import {describe, expect, it, onTestFinished} from 'vitest'
import type {NodeKind} from '../../src/lib/cluster/node/spec.ts'
import {isSameProcess, type ProcessIdentity} from '../../src/lib/core/process-identity.ts'
import {jarCache} from '../helpers/jar-cache.ts'
import {COINPIPE, type Started, start} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'

const HOSTS = ['127.0.0.71', '127.0.0.72', '127.0.0.73']
const BROKERS = HOSTS.map((host) => `${host}:9092`)
/** Servers may share the cores with much else. */
const READY_MS = 120_000
/** Cassandra does not wait half a minute for others to be heard of. */
const ALONE = '-Dcassandra.ring_delay_ms=500 -Dcassandra.skip_wait_for_gossip_to_settle=0'
const TOPIC = 'kept'
const PROCESS = 'process.json'

/** One node of a server, run as launchd would. */
class Node {
  readonly folder: string
  readonly #args: readonly string[]

  constructor(kind: NodeKind, id: number, dataDir: string, args: readonly string[]) {
    this.folder = join(dataDir, 'nodes', `${kind}-${id}`)
    const where = ['--id', String(id), '--data-dir', dataDir, '--cache-dir', jarCache(), '--beside', 'none', '--json']
    this.#args = ['cluster', 'node', kind, ...where, ...args]
  }

  start(env: NodeJS.ProcessEnv = {}): Started {
    const started = start(COINPIPE, this.#args, {env})
    onTestFinished(() => this.endJava())
    return started
  }

  java(): ProcessIdentity {
    return JSON.parse(readFileSync(join(this.folder, PROCESS), 'utf8'))
  }

  /** Who the storage was formatted for; another one after formatting it again. */
  directoryId(): string | undefined {
    return /^directory\.id=(.+)$/m.exec(readFileSync(join(this.folder, 'data/meta.properties'), 'utf8'))?.[1]
  }

  /** Should a test fail half-way, its server goes with it. */
  endJava(): void {
    if (existsSync(join(this.folder, PROCESS)) && isSameProcess(this.java()) === true) process.kill(this.java().pid, 'SIGKILL')
  }
}

async function brokerNodes(...ids: readonly number[]): Promise<Node[]> {
  const folder = await tempDir()
  return ids.map((id) => new Node('kafka', id, join(folder, `server-${id}`), ['--hosts', HOSTS.join(','), '--heap', '192MiB']))
}

function connect(bootstrapBrokers = BROKERS): Admin {
  const admin = new Admin({clientId: 'test', bootstrapBrokers, retries: 0, timeout: 2000})
  onTestFinished(() => admin.close())
  return admin
}

async function listens(host: string, port: number): Promise<boolean> {
  const socket = createConnection({host, port})
  try {
    await once(socket, 'connect')
    return true
  } catch {
    // Not yet.
    return false
  } finally {
    socket.destroy()
  }
}

/** In-sync replicas of the topic's one partition, and the brokers, as the cluster sees them now; null while it does not answer. */
async function look(admin: Admin, topics: string[]) {
  const metadata = await admin.metadata({topics, forceUpdate: true}).catch(() => null)
  return metadata && {brokers: [...metadata.brokers.values()], inSync: metadata.topics.get(TOPIC)?.partitions[0]?.isr.toSorted()}
}

async function untilInSync(admin: Admin, ids: readonly number[]): Promise<void> {
  await until(`replicas ${ids} to be in sync`, async () => String((await look(admin, [TOPIC]))?.inSync) === String(ids), READY_MS)
}

describe('cluster node', () => {
  it('runs ZooKeeper, and a broker in its mode', async () => {
    const dataDir = await tempDir()
    const [host = ''] = HOSTS
    const flags = ['--hosts', host, '--mode', 'zookeeper', '--heap', '128MiB']
    const zookeeper = new Node('zookeeper', 1, dataDir, flags).start()
    const broker = new Node('kafka', 1, dataDir, flags).start()
    const admin = connect([`${host}:9092`])
    await until('a broker', async () => (await look(admin, []))?.brokers.length === 1, READY_MS)
    // The broker first: it would wait for its ZooKeeper.
    for (const {child, ended} of [broker, zookeeper]) {
      child.kill('SIGTERM')
      expect((await ended).code, (await ended).stderr).toBe(0)
    }
  })

  it('runs Cassandra', async () => {
    const [host = ''] = HOSTS
    const {child, ended} = new Node('cassandra', 1, await tempDir(), ['--hosts', host, '--heap', '512MiB']).start({JDK_JAVA_OPTIONS: ALONE})
    await until('Cassandra to listen', () => listens(host, 9042), READY_MS)
    child.kill('SIGTERM')
    expect((await ended).code, (await ended).stderr).toBe(0)
  })
})

describe('cluster node kafka', () => {
  it('on three servers makes one cluster; a server that was stopped comes back with its data', async () => {
    const [one, two, three] = (await brokerNodes(1, 2, 3)) as [Node, Node, Node]
    const running = [one, two, three].map((server) => server.start())
    const admin = connect()
    await until('three brokers', async () => (await look(admin, []))?.brokers.length === 3, READY_MS)
    const {brokers = []} = (await look(admin, [])) ?? {}
    expect(brokers.map(({host, port}) => `${host}:${port}`).toSorted()).toEqual(BROKERS)

    await admin.createTopics({topics: [TOPIC], partitions: 1, replicas: 3})
    await untilInSync(admin, [1, 2, 3])
    const [java, directory] = [three.java(), three.directoryId()]
    running[2]?.child.kill('SIGTERM')
    const ended = await running[2]?.ended
    expect(ended?.code, ended?.stderr).toBe(0)
    expect(JSON.parse(ended?.stdout ?? '')).toMatchObject({node: 'kafka-3', folder: three.folder})
    expect(isSameProcess(java)).toBe(false)
    await untilInSync(admin, [1, 2])

    running[2] = three.start()
    await untilInSync(admin, [1, 2, 3])
    expect(three.directoryId()).toBe(directory)
  })

  it('ends its server at once on a second signal', async () => {
    const [server] = (await brokerNodes(1)) as [Node]
    const {child, ended, saw} = server.start()
    await saw(/node started/)
    const java = server.java()
    child.kill('SIGTERM')
    await saw(/once more leaves at once/)
    child.kill('SIGTERM')
    expect((await ended).code).toBe(130)
    await until('the server to be gone', () => isSameProcess(java) === false)
  })

  it('says so when its server ends by itself, with what it wrote and what to do', async () => {
    const [server] = (await brokerNodes(1)) as [Node]
    mkdirSync(join(server.folder, 'data'), {recursive: true})
    writeFileSync(join(server.folder, 'data/meta.properties'), 'version=1\ncluster.id=4L6g3nShT-eMCtK--X86sw\nnode.id=2\n')
    const {code, stdout} = await server.start().ended
    expect(code).toBe(4)
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'COINPIPE_CLUSTER_NODE_FAILED',
      message: expect.stringMatching(/^kafka-1 ended by itself, with code 1\n {2}.*ERROR/),
      remedy: [expect.stringContaining('--id')],
    })
  })

  it('says at once that a port is taken', async () => {
    const [server] = (await brokerNodes(1)) as [Node]
    const taken = createServer().listen(9093, HOSTS[0])
    onTestFinished(() => {
      taken.close()
    })
    const {code, stdout} = await server.start().ended
    expect(code).toBe(4)
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'COINPIPE_CLUSTER_PORT_TAKEN',
      message: expect.stringContaining('kafka-1 needs 127.0.0.71:9093'),
    })
  })

  it('says that the address is not of this machine', async () => {
    const where = ['--listen', '192.0.2.1', '--data-dir', await tempDir(), '--cache-dir', jarCache(), '--json']
    const {code, stdout} = await start(COINPIPE, ['cluster', 'node', 'kafka', '--id', '1', '--hosts', HOSTS.join(','), ...where]).ended
    expect(code).toBe(4)
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'COINPIPE_CLUSTER_ADDRESS_MISSING',
      message: expect.stringContaining("'192.0.2.1'"),
    })
  })

  it('says that its folder cannot be written to', async () => {
    const file = join(await tempDir(), 'file')
    writeFileSync(file, '')
    const where = ['--data-dir', file, '--cache-dir', jarCache(), '--json']
    const {code, stdout} = await start(COINPIPE, ['cluster', 'node', 'kafka', '--id', '1', '--hosts', HOSTS.join(','), ...where]).ended
    expect(code).toBe(4)
    expect(JSON.parse(stdout).error).toMatchObject({code: 'COINPIPE_CLUSTER_NODE_FOLDER', message: expect.stringContaining(file)})
  })

  it('does not run twice on one folder', async () => {
    const [server] = (await brokerNodes(1)) as [Node]
    const first = server.start()
    await first.saw(/node started/)
    const {code, stdout} = await server.start().ended
    expect(code).toBe(2)
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'COINPIPE_CLUSTER_NODE_RUNS',
      remedy: expect.arrayContaining([`stop it first: kill ${server.java().pid}`]),
    })
    first.child.kill('SIGTERM')
    await first.ended
  })
})
