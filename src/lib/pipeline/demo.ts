import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {createServer} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {stringify} from 'yaml'
import {loadConfig} from '../config/load.ts'
import type {Trade} from '../core/records.ts'
import {symbolOfCode} from '../exchanges/upbit/symbols.ts'
import {type Simulator, startSimulator} from '../simulate/simulator.ts'
import {openMarketReader} from '../store/embedded/reader.ts'
import {tradesInLog, tradesInStore} from './census.ts'
import {prepareDataFolder} from './data-folder.ts'
import {dataPaths} from './paths.ts'
import type {RunContext} from './run.ts'
import {System} from './system.ts'
import {Tally} from './tally.ts'
import {runUp} from './up.ts'

export interface DemoOptions {
  /** Trades a second, all markets together. */
  readonly rate: number
  readonly seed: number
  readonly host: string
  /** Undefined: the usual one, or any free one where that is taken. */
  readonly port: number | undefined
  /** Keep the data in this folder; without it a fresh one is made and removed. */
  readonly keepIn?: string | undefined
  readonly onListening: (url: string) => void
}

/** Every trade of the simulated exchange, followed to the end. */
export interface DemoSummary {
  readonly simulated: true
  /** Trades that the simulated exchange made, by its own ledger (which holds the newest 2.6 million). */
  readonly sent: number
  /** Of these, how many are on the log, and in the store. */
  readonly logged: number
  readonly stored: number
  /** Sent and not in the store. */
  readonly lost: number
  /** Copies in the store beyond the first. */
  readonly duplicated: number
  /** The live page. */
  readonly url: string
}

type Counts = Omit<DemoSummary, 'simulated' | 'url'>

const USUAL_PORT = 8790
const QUIET_MS = 300
const QUIET_DEADLINE_MS = 5000
const POLL_MS = 50

/** A simulated exchange over a real websocket, everything that `coinpipe up` runs, and at the end a count of every trade. */
export async function runDemo(options: DemoOptions, context: RunContext): Promise<DemoSummary> {
  const dataDir = options.keepIn ?? (await mkdtemp(join(tmpdir(), 'coinpipe-demo-')))
  const simulator = await startSimulator({tradesPerSecond: options.rate, seed: options.seed}, context)
  try {
    const url = await runMarket(options, simulator, dataDir, context)
    return {simulated: true, url, ...(await count(simulator, dataDir, context))}
  } finally {
    await simulator.close()
    if (options.keepIn === undefined) await rm(dataDir, {recursive: true, force: true})
  }
}

async function runMarket(options: DemoOptions, simulator: Simulator, dataDir: string, context: RunContext): Promise<string> {
  const path = join(dataDir, 'coinpipe.yaml')
  prepareDataFolder(dataDir)
  await writeFile(
    dataPaths(dataDir).simulatedMark,
    'The data in this folder is made up: coinpipe demo collected it from a simulated exchange.\n',
  )
  const port = options.port ?? (await usualOrFreePort(options.host))
  await writeFile(path, stringify(demoConfig(options.host, port, simulator, dataDir)))
  const {config} = await loadConfig({path, env: {}, defaultDataDir: dataDir})
  const stop = new AbortController()
  const stopping = stopWhenRead(simulator, stop, context)
  let url = ''
  const onListening = (address: string) => {
    url = address
    options.onListening(address)
  }
  await runUp(config, {onListening}, {...context, signal: stop.signal})
  stop.abort()
  await stopping
  return url
}

function demoConfig(host: string, port: number, simulator: Simulator, dataDir: string): object {
  const source = {kind: 'exchange', exchange: 'upbit', url: simulator.url, channels: ['trade', 'book', 'ticker'], symbols: 'all'}
  return {version: 1, dataDir, sinks: {store: {kind: 'store'}}, pipelines: [{name: 'demo', source, sinks: ['store']}], serve: {host, port}}
}

async function usualOrFreePort(host: string): Promise<number> {
  const probe = createServer()
  return new Promise((resolve) => {
    probe.once('error', () => resolve(0))
    probe.listen(USUAL_PORT, host, () => probe.close(() => resolve(USUAL_PORT)))
  })
}

/** On the stop the market stands still first, so that everything it sent can be read before the sources stop. */
async function stopWhenRead(simulator: Simulator, stop: AbortController, {signal, metrics, clock}: RunContext): Promise<void> {
  const received = () => metrics.total('coinpipe_component_received_total', {component: 'upbit'})
  await new Promise<void>((resolve) => {
    for (const ended of [signal, stop.signal]) ended.aborted ? resolve() : ended.addEventListener('abort', () => resolve(), {once: true})
  })
  simulator.pause()
  const startedMs = clock.monotonicMs()
  for (let last = received(), sinceMs = startedMs; !stop.signal.aborted; ) {
    await clock.sleep(POLL_MS)
    const nowMs = clock.monotonicMs()
    if (received() !== last) sinceMs = nowMs
    last = received()
    if (nowMs - sinceMs > QUIET_MS || nowMs - startedMs > QUIET_DEADLINE_MS) stop.abort()
  }
}

async function count(simulator: Simulator, dataDir: string, context: RunContext): Promise<Counts> {
  const {config} = await loadConfig({path: join(dataDir, 'coinpipe.yaml'), env: {}, defaultDataDir: dataDir})
  const system = await System.open(config, {...context, signal: AbortSignal.timeout(60_000)})
  const reader = openMarketReader({path: dataPaths(dataDir).store}, context)
  try {
    await reader.connect()
    return await compare(simulator, tradesInLog(system.bus), tradesInStore(reader))
  } finally {
    await reader.close()
    await system.close()
  }
}

/** Only trades of this run count: a kept folder may have those of earlier ones. */
async function compare({ledger}: Simulator, logged: AsyncIterable<Trade>, stored: AsyncIterable<Trade>): Promise<Counts> {
  const sent = new Map(
    ledger.markets.map((code) => [symbolOfCode(code) ?? code, Array.from(ledger.trades(code), (trade) => trade.sequentialId)]),
  )
  const [log, store] = [new Tally(sent), new Tally(sent)]
  for await (const {symbol, tradeId} of logged) log.add(symbol, tradeId)
  for await (const {symbol, tradeId} of stored) store.add(symbol, tradeId)
  const count = [...sent.values()].reduce((sum, ids) => sum + ids.length, 0)
  const {found, repeated} = store.result()
  return {sent: count, logged: log.result().found, stored: found, lost: count - found, duplicated: repeated}
}
