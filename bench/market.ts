import {type ChildProcess, spawn} from 'node:child_process'
import {once} from 'node:events'
import {readFileSync} from 'node:fs'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {type AddressInfo, createServer} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {dataPaths} from '../src/lib/pipeline/paths.ts'

const COINPIPE = join(import.meta.dirname, '../bin/coinpipe')
const WAIT_MS = 30_000
/** Linux counts a process's CPU time in hundredths of a second. */
const TICKS_PER_SECOND = 100

export interface Usage {
  readonly rssMiB: number
  readonly cpuSeconds: number
}

/** A simulated exchange in one process and `coinpipe up` in another: the whole path over a real websocket and real files. */
export interface Market {
  /** The store's file. */
  readonly store: string
  /** Trades that the exchange has made. */
  sent(): Promise<number>
  /** Trades that `up` has stored; candles are not counted. */
  stored(): Promise<number>
  /** Of `up`, as Prometheus reads them. */
  metrics(): Promise<string>
  upUsage(): Usage
  simulatorUsage(): Usage
  /** The exchange makes no more trades. */
  pause(): Promise<void>
  /** Stops both, `up` drained, and removes its data; a second call does nothing more. Resolves with the exit code of `up`. */
  stop(): Promise<number | null>
}

export interface MarketOptions {
  readonly rate: number
  readonly symbols?: readonly string[]
  /** Kafka in place of the embedded log: `up` then only ingests, and stores nothing. */
  readonly brokers?: string
}

export async function startMarket(options: MarketOptions): Promise<Market> {
  const directory = await mkdtemp(join(tmpdir(), 'coinpipe-bench-'))
  const [port, pagePort] = [await freePort(), await freePort()]
  const config = join(directory, 'coinpipe.yaml')
  const source = `{kind: exchange, exchange: upbit, url: 'ws://127.0.0.1:${port}', channels: [trade], symbols: all}`
  const pipeline = options.brokers === undefined ? EMBEDDED : onKafka(options.brokers)
  await writeFile(
    config,
    `version: 1\ndataDir: ${directory}\n${pipeline.parts}\nsinks: {store: {kind: store}}\npipelines: [{name: bench, source: ${source}, sinks: ${pipeline.sinks}}${pipeline.more}]\nserve: {port: ${pagePort}}\n`,
  )
  const symbols = options.symbols ? ['--symbols', options.symbols.join(',')] : []
  const simulator = run('simulate', '--port', String(port), '--rate', String(options.rate), ...symbols)
  await answers(`http://127.0.0.1:${port}/sim/stats`)
  const up = run('up', '--config', config, '--drain-timeout', '2m')
  await answers(`http://127.0.0.1:${pagePort}/healthz`)
  const stop = async () => {
    const ended = once(up, 'exit')
    up.kill('SIGTERM')
    const [code] = (await ended) as [number | null]
    simulator.kill('SIGKILL')
    await rm(directory, {recursive: true, force: true})
    return code
  }
  let stopped: Promise<number | null> | undefined
  return {
    store: dataPaths(directory).store,
    sent: async () => ((await (await fetch(`http://127.0.0.1:${port}/sim/stats`)).json()) as {trades: number}).trades,
    stored: async () => storedTrades(await (await fetch(`http://127.0.0.1:${pagePort}/metrics`)).text()),
    metrics: async () => await (await fetch(`http://127.0.0.1:${pagePort}/metrics`)).text(),
    upUsage: () => usage(up),
    simulatorUsage: () => usage(simulator),
    async pause() {
      await fetch(`http://127.0.0.1:${port}/sim/pause`, {method: 'POST'})
    },
    stop() {
      stopped ??= stop()
      return stopped
    },
  }
}

const EMBEDDED = {parts: '', sinks: '[store]', more: ''}

function onKafka(brokers: string) {
  const parts = `bus: {kind: kafka, brokers: [${brokers}]}\naggregate: {candles: {enabled: false}}`
  // A store, though of a topic that nothing comes to: `/metrics` is served beside one.
  return {parts, sinks: '[]', more: ', {name: idle, topics: [market.ticker], sinks: [store]}'}
}

function run(...args: readonly string[]): ChildProcess {
  return spawn(COINPIPE, [...args, '--log-level', 'warn'], {stdio: ['ignore', 'ignore', 'inherit']})
}

async function answers(url: string): Promise<void> {
  for (const startedMs = performance.now(); performance.now() - startedMs < WAIT_MS; await sleep(100)) {
    if (
      await fetch(url).then(
        ({ok}) => ok,
        () => false,
      )
    )
      return
  }
  throw new Error(`${url} did not answer within ${WAIT_MS} ms`)
}

/** What the store took, less the candles among it. */
function storedTrades(metrics: string): number {
  const sent = (component: string) =>
    Number(new RegExp(`^coinpipe_component_sent_total{component="${component}"} (\\d+)`, 'm').exec(metrics)?.[1] ?? 0)
  return sent('store') - sent('candles')
}

function usage({pid}: ChildProcess): Usage {
  const rssKib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return {rssMiB: rssKib / 1024, cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND}
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  server.close()
  return port
}
