import {type ChildProcess, spawn} from 'node:child_process'
import {once} from 'node:events'
import {createWriteStream} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {type AddressInfo, createServer} from 'node:net'
import {join} from 'node:path'
import type {Context} from '../../core/context.ts'
import {AbortedError, DeadlineError} from '../../core/errors.ts'
import {NodeFailedError} from '../errors.ts'
import {withClient} from './client.ts'
import {servesCql} from './cql-probe.ts'

export interface Ports {
  readonly client: number
  readonly storage: number
}

const HOST = '127.0.0.1'
const DEADLINE_MS = 180_000
const PROBE_MS = 1000
const POLL_MS = 100
const SHOWN_LINES = 15

/**
 * Runs what it is given, and reads the signal to end it by: SIGKILL where this process dies before it says one. Ends with what it runs. Ctrl-C is not for it, for it has a
 * process group of its own.
 */
const SUPERVISOR = [
  'exec 3<&0',
  '"$@" 3<&- & node=$!',
  '{ read -r signal || signal=KILL; kill -s "$signal" $node; } <&3 & reader=$!',
  'wait $node',
  'kill $reader 2>&-',
].join('\n')

/** What a node's clients do most. */
const LESSONS = [
  "CREATE KEYSPACE lesson WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
  `CREATE TABLE lesson.rows (key text, time timestamp, id text, value decimal, PRIMARY KEY ((key), time, id)) WITH CLUSTERING ORDER BY (time DESC)
   AND compaction = {'class': 'TimeWindowCompactionStrategy'} AND default_time_to_live = 3600`,
]
const INSERT = "INSERT INTO lesson.rows (key, time, id, value) VALUES ('a', 1, ?, 1.5)"

/**
 * Starts a node by what `prepare` answers (a command line, for a node at this address and these ports), uses it a little, and has it leave in order. Rejects where it does not
 * serve, or is not gone, within three minutes (a busy machine takes one); it is gone then, too.
 */
export async function trainNode(
  prepare: (host: string, ports: Ports) => Promise<string[]>,
  folder: string,
  context: Context,
): Promise<void> {
  const [client, storage] = await freePorts(2)
  const command = await prepare(HOST, {client: client ?? 0, storage: storage ?? 0})
  const log = join(folder, 'node.log')
  const child = spawn('/bin/sh', ['-c', SUPERVISOR, 'sh', ...command], {cwd: folder, stdio: ['pipe', 'pipe', 'pipe'], detached: true})
  const output = createWriteStream(log)
  child.stdout.pipe(output, {end: false})
  child.stderr.pipe(output, {end: false})
  const closed = once(child, 'close')
  // Whoever waits for it is told.
  closed.catch(() => undefined)
  child.stdin.on('error', () => undefined)
  try {
    await untilServing(child, client ?? 0, context)
    await teach(client ?? 0)
    child.stdin.end('TERM\n')
    await within(closed, context)
  } catch (cause) {
    if (context.signal.aborted || cause instanceof DeadlineError) throw cause
    const lines = (await readFile(log, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-SHOWN_LINES)
    throw new NodeFailedError(['the node that was to be learnt from failed', ...lines].join('\n'), {cause})
  } finally {
    child.stdin.end()
    await closed.catch(() => undefined)
    output.end()
  }
}

async function untilServing(child: ChildProcess, port: number, {clock, signal}: Context): Promise<void> {
  const deadlineMs = clock.monotonicMs() + DEADLINE_MS
  while (!(await servesCql(HOST, port, PROBE_MS).catch(() => false))) {
    if (child.exitCode !== null) throw new NodeFailedError(`the node ended with ${child.exitCode}`)
    if (clock.monotonicMs() > deadlineMs) throw new DeadlineError(`no CQL at ${HOST}:${port} after ${DEADLINE_MS} ms`)
    await clock.sleep(POLL_MS, signal)
  }
}

async function teach(port: number): Promise<void> {
  await withClient({host: HOST, port, timeoutMs: 10_000}, async (client) => {
    for (const statement of LESSONS) await client.execute(statement)
    const rows = Array.from({length: 100}, (_, index) => ({query: INSERT, params: [String(index)]}))
    for (let round = 0; round < 20; round++) await client.batch(rows, {prepare: true, logged: false})
    await client.execute("SELECT * FROM lesson.rows WHERE key = 'a' LIMIT 50", [], {prepare: true})
    await client.execute('SELECT * FROM lesson.rows', [], {prepare: true})
  })
}

async function within(closed: Promise<unknown>, {signal}: Context): Promise<void> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
  const stopped = once(late, 'abort').then(() => {
    throw signal.aborted ? new AbortedError() : new DeadlineError(`the node was not gone after ${DEADLINE_MS} ms`)
  })
  stopped.catch(() => undefined)
  await Promise.race([closed, stopped])
}

/** Ports that nobody listens on at this moment. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({length: count}, async () => {
      const server = createServer().listen(0, HOST)
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map(async (server) => await once(server.close(), 'close')))
  return ports
}
