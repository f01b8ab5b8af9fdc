import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {onTestFinished} from 'vitest'
import {type WebSocket, WebSocketServer} from 'ws'
import type {Source, SourceItem} from '../../src/lib/core/ports/source.ts'
import type {CoinRecord, Gap, Trade} from '../../src/lib/core/records.ts'
import {createUpbitFeed} from '../../src/lib/exchanges/upbit/feed.ts'
import type {FeedTimings, UpbitFeedOptions} from '../../src/lib/exchanges/upbit/feed-options.ts'
import type {Simulator} from '../../src/lib/simulate/simulator.ts'
import {type TestContext, testContext} from './context.ts'
import {until} from './until.ts'

/** Waits short enough for tests, where the exchange is on this machine. */
export const QUICK: Partial<FeedTimings> = {
  connectTimeoutMs: 2000,
  backoff: {baseMs: 50, capMs: 500},
  liveWaitMs: 200,
  settleMs: 100,
  refillMs: 100,
  gapRepeatMs: 200,
}

export interface RunningFeed {
  readonly source: Source
  readonly context: TestContext
  /** Everything delivered and acked, in order. */
  readonly log: CoinRecord[]
  readonly rejected: (SourceItem & {kind: 'rejected'})['rejected'][]
  trades(): Trade[]
  /** The last record of each gap of trades. */
  gaps(): Gap[]
  /** While true, deliveries are taken and not acked. */
  hold: boolean
  /** Error that the deliveries ended with. */
  failure(): unknown
  /** Stops reading and takes what is left. */
  stop(): Promise<void>
}

type Options = Partial<UpbitFeedOptions> & {readonly url: string}

/** A connected feed whose deliveries are taken and acked in the background. Closed when the test is over. */
export async function runFeed(options: Options, context = testContext()): Promise<RunningFeed> {
  const timings = {...QUICK, ...options.timings}
  const source = createUpbitFeed({channels: ['trade'], symbols: ['BTC-KRW', 'ETH-KRW', 'XRP-KRW'], ...options, timings}, context)
  onTestFinished(() => source.close())
  await source.connect()
  const stop = new AbortController()
  const log: CoinRecord[] = []
  const rejected: RunningFeed['rejected'] = []
  let failure: unknown
  const feed = {source, context, log, rejected, hold: false, failure: () => failure}
  const taking = (async () => {
    for await (const delivery of source.deliveries(stop.signal)) {
      while (feed.hold && !stop.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5))
      for (const item of delivery.items) {
        if (item.kind === 'record') log.push(item.record)
        else rejected.push(item.rejected)
      }
      await delivery.ack()
    }
  })().catch((error: unknown) => {
    failure = error
  })
  return Object.assign(feed, {
    trades: () => log.filter((record) => record.type === 'trade'),
    gaps: () => lastGaps(log),
    stop: async () => {
      stop.abort()
      await taking
    },
  })
}

export function lastGaps(log: readonly CoinRecord[]): Gap[] {
  const gaps = log.filter((record): record is Gap => record.type === 'gap' && record.channel === 'trade')
  return [...new Map(gaps.map((gap) => [gap.id, gap])).values()]
}

/** `BTC-KRW 17617…` of every trade of the simulator, sorted. */
export function ledgerIds(sim: Simulator): string[] {
  return [...sim.ledger.trades()].map(({market, sequentialId}) => `${market.split('-').reverse().join('-')} ${sequentialId}`).sort()
}

/** The same of trades that came. */
export function tradeIds(trades: readonly Trade[]): string[] {
  return trades.map(({symbol, tradeId}) => `${symbol} ${tradeId}`).sort()
}

/** Waits until no gap is open and as many trades came as the stopped simulator made. */
export async function settled(sim: Simulator, feed: RunningFeed, withinMs = 30_000): Promise<void> {
  await until(
    'every gap is closed',
    () => feed.gaps().every((gap) => gap.state !== 'open') && feed.trades().length >= sim.ledger.count(),
    withinMs,
  )
}

export interface ScriptedExchange {
  readonly url: string
  /** Headers of every request, REST and websocket. */
  readonly requests: IncomingMessage[]
  readonly sockets: WebSocket[]
  /** What clients sent. */
  readonly received: string[]
}

export interface Script {
  /** Answers REST requests. */
  readonly rest?: (url: URL, response: ServerResponse) => void
  readonly onSubscribe?: (socket: WebSocket, text: string) => void
}

/** A websocket and HTTP server that does what the test tells, for what the simulator never does. Closed when the test is over. */
export async function scriptedExchange({rest, onSubscribe}: Script): Promise<ScriptedExchange> {
  const requests: IncomingMessage[] = []
  const sockets: WebSocket[] = []
  const received: string[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    if (rest) rest(new URL(request.url ?? '', 'http://localhost'), response)
    else response.writeHead(404).end('{}')
  })
  const websockets = new WebSocketServer({server})
  websockets.on('connection', (socket, request) => {
    requests.push(request)
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.on('message', (data) => {
      received.push(data.toString())
      if (data.toString() !== 'PING') onSubscribe?.(socket, data.toString())
    })
  })
  await listen(server)
  onTestFinished(() => {
    for (const socket of sockets) socket.terminate()
    server.closeAllConnections()
    server.close()
  })
  const {port} = server.address() as AddressInfo
  return {url: `ws://127.0.0.1:${port}`, requests, sockets, received}
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
}

/** A trade as the websocket sends it in the SIMPLE format. */
export function tradeFrame(code: string, id: number | string, timeMs: number): string {
  return `{"ty":"trade","cd":"${code}","tms":${timeMs},"ttms":${timeMs},"tp":127.0,"tv":1.5,"ab":"BID","sid":${id},"st":"REALTIME"}`
}

/** A trade as REST has it. */
export function restTrade(code: string, id: number | string, timeMs: number): string {
  return `{"market":"${code}","timestamp":${timeMs},"trade_price":127.0,"trade_volume":1.5,"ask_bid":"BID","sequential_id":${id}}`
}
