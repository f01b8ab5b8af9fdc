import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {createServer} from 'node:net'
import {join} from 'node:path'
import {Admin} from '@platformatic/kafka'
import {describe, expect, it, onTestFinished} from 'vitest'
import {isSameProcess, type ProcessIdentity} from '../../src/lib/core/process-identity.ts'
import {jarCache} from '../helpers/jar-cache.ts'
import {COINPIPE, type Started, start} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'

const HOSTS = ['127.0.0.71', '127.0.0.72', '127.0.0.73']
const BROKERS = HOSTS.map((host) => `${host}:9092`)
const READY_MS = 60_000
const TOPIC = 'kept'
const PROCESS = 'process.json'

/** A server with one broker, run as launchd would. */
class Server {
  readonly id: number
  readonly folder: string
  readonly #dataDir: string

  constructor(id: number, dataDir: string) {
    this.id = id
    this.#dataDir = dataDir
    this.folder = join(dataDir, 'nodes', `kafka-${id}`)
  }

  start(): Started {
    const where = ['--data-dir', this.#dataDir, '--cache-dir', jarCache(), '--heap', '192MiB', '--beside', 'none', '--json']
    const started = start(COINPIPE, ['cluster', 'node', 'kafka', '--id', String(this.id), '--hosts', HOSTS.join(','), ...where])
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

async function servers(...ids: readonly number[]): Promise<Server[]> {
  const folder = await tempDir()
  return ids.map((id) => new Server(id, join(folder, `server-${id}`)))
}

function connect(): Admin {
  const admin = new Admin({clientId: 'test', bootstrapBrokers: BROKERS, retries: 0, timeout: 2000})
  onTestFinished(() => admin.close())
  return admin
}

/** In-sync replicas of the topic's one partition, and the brokers, as the cluster sees them now; null while it does not answer. */
async function look(admin: Admin, topics: string[]) {
  const metadata = await admin.metadata({topics, forceUpdate: true}).catch(() => null)
  return metadata && {brokers: [...metadata.brokers.values()], inSync: metadata.topics.get(TOPIC)?.partitions[0]?.isr.toSorted()}
}

async function untilInSync(admin: Admin, ids: readonly number[]): Promise<void> {
  await until(`replicas ${ids} to be in sync`, async () => String((await look(admin, [TOPIC]))?.inSync) === String(ids), READY_MS)
}

describe('cluster node kafka', () => {
  it('on three servers makes one cluster; a server that was stopped comes back with its data', async () => {
    const [one, two, three] = (await servers(1, 2, 3)) as [Server, Server, Server]
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
    for (const {child} of running) child.kill('SIGTERM')
    expect((await Promise.all(running.map(({ended}) => ended))).map(({code}) => code)).toEqual([0, 0, 0])
  })

  it('ends its server at once on a second signal', async () => {
    const [server] = (await servers(1)) as [Server]
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
    const [server] = (await servers(1)) as [Server]
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
    const [server] = (await servers(1)) as [Server]
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

  it('does not run twice on one folder', async () => {
    const [server] = (await servers(1)) as [Server]
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
