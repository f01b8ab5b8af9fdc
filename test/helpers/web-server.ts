import {subscribe, unsubscribe} from 'node:diagnostics_channel'
import {mkdir, writeFile} from 'node:fs/promises'
import type {ServerResponse} from 'node:http'
import {pathToFileURL} from 'node:url'
import {onTestFinished} from 'vitest'
import {systemClock} from '../../src/lib/core/clock.ts'
import type {Health} from '../../src/lib/core/health.ts'
import type {MarketReader} from '../../src/lib/core/ports/market-reader.ts'
import type {Candle, Trade} from '../../src/lib/core/records.ts'
import {createHealth} from '../../src/lib/observability/health.ts'
import {startServer, type WebServer, type WebServerOptions} from '../../src/lib/web/server.ts'
import {type TestContext, testContext} from './context.ts'
import * as records from './market-records.ts'
import {T0} from './market-records.ts'
import {tempDir} from './temp-dir.ts'

export interface TestServer extends WebServer {
  readonly context: TestContext & {readonly health: Health}
  get(path: string): Promise<Response>
}

/** A real server on a free port over `reader`, closed at the end of the test. Its page is a stand-in unless `pageDirectory` names one. */
export async function startTestServer(reader: MarketReader, options: Partial<WebServerOptions> = {}): Promise<TestServer> {
  const context = {...testContext(), health: createHealth(systemClock)}
  const pageDirectory = options.pageDirectory ?? (await standInPage())
  const server = await startServer({reader, context, host: '127.0.0.1', port: 0, pollMs: 10, ...options, pageDirectory})
  onTestFinished(() => server.close())
  return {...server, context, get: (path) => fetch(new URL(path, server.url))}
}

async function standInPage(): Promise<URL> {
  const directory = `${await tempDir()}/page/`
  await mkdir(directory)
  for (const name of ['index.html', 'app.js', 'app.css', 'icon.svg']) await writeFile(`${directory}${name}`, `stand-in ${name}`)
  return pathToFileURL(directory)
}

/** Every answer that a server of this process begins from now on. */
export function watchResponses(): ServerResponse[] {
  const responses: ServerResponse[] = []
  const note = (message: unknown) => responses.push((message as {response: ServerResponse}).response)
  subscribe('http.server.request.start', note)
  onTestFinished(() => void unsubscribe('http.server.request.start', note))
  return responses
}

/** The `n`th trade of a market: one a second, the price rising by one. */
export function trade(n: number, symbol = 'BTC-KRW'): Trade {
  const eventTime = T0 + n * 1e6
  return records.trade(String(n), {symbol, eventTime, price: String(95_000_000 + n), side: n % 2 === 0 ? 'buy' : 'sell'})
}

export function trades(from: number, to: number, symbol?: string): Trade[] {
  return Array.from({length: to - from}, (_, i) => trade(from + i, symbol))
}

/** The candle of the `n`th minute. */
export function candle(n: number, fields: Partial<Candle> = {}): Candle {
  return records.candle(T0 + n * 60e6, fields.version ?? 1, fields)
}
