import type {IncomingMessage, ServerResponse} from 'node:http'
import {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import {CoinpipeError, InvalidInputError} from '../core/errors.ts'
import {parseFaults} from './faults.ts'
import {readBody, SIMULATED_HEADER, sendJson} from './http.ts'
import {LEDGER_HEADER} from './ledger-file.ts'
import {ledgerLine} from './market-clock.ts'
import type {Simulator} from './simulator.ts'

const LINES_PER_CHUNK = 500

/**
 * The simulator's own paths: `GET /sim/stats`, `GET /sim/ledger[?market=KRW-BTC]` (the trades in memory, as lines of a ledger file), `POST /sim/faults`
 * with `{"faults": "drop,skip=50"}`, `POST /sim/pause` and `POST /sim/resume`.
 */
export async function answerControl(simulator: Simulator, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /sim/stats':
      return sendJson(response, 200, JSON.stringify(simulator.stats()))
    case 'GET /sim/ledger':
      return sendLedger(simulator, response, url.searchParams.get('market') ?? undefined)
    case 'POST /sim/faults':
      return injectFaults(simulator, request, response)
    case 'POST /sim/pause':
      simulator.pause()
      return sendJson(response, 200, JSON.stringify(simulator.stats()))
    case 'POST /sim/resume':
      simulator.resume()
      return sendJson(response, 200, JSON.stringify(simulator.stats()))
    default:
      return sendJson(response, 404, errorBody(new InvalidInputError(`the simulator has no ${request.method} ${url.pathname}`)))
  }
}

async function injectFaults(simulator: Simulator, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const faults = parseFaults(faultsField((await readBody(request)) ?? ''))
    for (const fault of faults) simulator.schedule(fault)
    sendJson(response, 200, JSON.stringify({accepted: faults.length}))
  } catch (error) {
    if (!(error instanceof CoinpipeError)) throw error
    sendJson(response, 400, errorBody(error))
  }
}

function faultsField(body: string): string {
  const refusal = new InvalidInputError('the body is not a JSON object with a text `faults`', {remedy: ['send {"faults": "drop,skip=50"}']})
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed === 'object' && parsed !== null && 'faults' in parsed && typeof parsed.faults === 'string') return parsed.faults
  } catch (error) {
    throw new InvalidInputError(refusal.message, {remedy: refusal.remedy, cause: error})
  }
  throw refusal
}

function errorBody(error: CoinpipeError): string {
  return JSON.stringify({error: {name: error.code, message: error.message, remedy: error.remedy}})
}

async function sendLedger(simulator: Simulator, response: ServerResponse, market: string | undefined): Promise<void> {
  response.writeHead(200, {'Content-Type': 'text/tab-separated-values', [SIMULATED_HEADER]: 'true'})
  await pipeline(Readable.from(ledgerChunks(simulator, market)), response)
}

/** Numbers count the lines here: the order of sending across markets is only in a ledger file. */
function* ledgerChunks(simulator: Simulator, market: string | undefined): Generator<string> {
  let [chunk, lines] = [`${LEDGER_HEADER}\n`, 0]
  for (const trade of simulator.ledger.trades(market)) {
    chunk += `${ledgerLine(trade, ++lines)}\n`
    if (lines % LINES_PER_CHUNK > 0) continue
    yield chunk
    chunk = ''
  }
  yield chunk
}
