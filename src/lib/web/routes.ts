import type {FastifyInstance, FastifyReply} from 'fastify'
import type {MarketId} from '../core/ports/market-reader.ts'
import type {FeedHub} from './feed-hub.ts'
import {LiveClient} from './live-client.ts'
import type {Markets} from './markets.ts'
import {addOperations, type OperationsOptions} from './operations.ts'
import type {PageFile} from './page-files.ts'
import {candlesQuery, eventsQuery, marketQuery, parseQuery, tradesQuery} from './query.ts'
import {securityHeaders} from './security.ts'
import type {StoreGate} from './store-gate.ts'
import type {CandlesAnswer, MarketsAnswer} from './wire.ts'

export interface RouteOptions extends Omit<OperationsOptions, 'probe'> {
  readonly store: StoreGate
  readonly markets: Markets
  readonly hub: FeedHub
  readonly page: ReadonlyMap<string, PageFile>
  readonly simulated: boolean
}

/** A browser whose socket takes nothing for so long is disconnected. */
const STALLED_MS = 60_000
/** How soon a browser connects again; the browser's own default differs. */
const RECONNECT_MS = 1_000

export function addRoutes(app: FastifyInstance, options: RouteOptions): void {
  addPage(app, options)
  addAnswers(app, options)
  addEvents(app, options)
  // The probe's result is in the store's health, beside that of all other components.
  const probe = () => options.store.read((reader) => reader.check()).catch(() => undefined)
  addOperations(app, {...options, probe})
}

function addPage(app: FastifyInstance, {page}: RouteOptions): void {
  for (const [path, {body, contentType}] of page) {
    app.get(path, (_request, reply) => reply.type(contentType).header('cache-control', 'no-cache').send(body))
  }
}

function addAnswers(app: FastifyInstance, {store, markets, simulated}: RouteOptions): void {
  const known = async <M extends MarketId>(query: M): Promise<M> => {
    await markets.check(query)
    return query
  }
  app.get('/api/markets', async (): Promise<MarketsAnswer> => ({simulated, markets: await markets.list()}))
  app.get('/api/trades', async (request) => {
    const {after, ...query} = await known(parseQuery(tradesQuery, request.query))
    return store.read((reader) => reader.trades({...query, ...(after === undefined ? {} : {after})}))
  })
  app.get('/api/candles', async (request): Promise<CandlesAnswer> => {
    const {from, to, ...query} = await known(parseQuery(candlesQuery, request.query))
    const range = {...(from === undefined ? {} : {from}), ...(to === undefined ? {} : {to})}
    return {candles: await store.read((reader) => reader.candles({...query, ...range, origin: 'ours'}))}
  })
  app.get('/api/ticker', async (request) => {
    const market = await known(parseQuery(marketQuery, request.query))
    return {ticker: await store.read((reader) => reader.ticker(market))}
  })
  app.get('/api/book', async (request) => {
    const market = await known(parseQuery(marketQuery, request.query))
    return {book: await store.read((reader) => reader.book(market))}
  })
}

function addEvents(app: FastifyInstance, {hub, markets}: RouteOptions): void {
  app.get('/events', async (request, reply) => {
    const {interval, ...market} = parseQuery(eventsQuery, request.query)
    await markets.check(market)
    hub.checkRoom()
    // A browser that left meanwhile will not say so again.
    if (reply.raw.destroyed) return reply.hijack()
    const response = startStream(reply)
    const client = new LiveClient({response, interval, resumeFrom: request.headers['last-event-id']?.toString(), stalledMs: STALLED_MS})
    const leave = hub.join(market, client)
    response.on('close', leave)
    return reply
  })
}

/** From here on the answer is written by hand: fastify would buffer or end it. */
function startStream(reply: FastifyReply) {
  reply.hijack()
  const response = reply.raw
  response.writeHead(200, {...securityHeaders, 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store'})
  response.write(`retry: ${RECONNECT_MS}\n\n`)
  return response
}
