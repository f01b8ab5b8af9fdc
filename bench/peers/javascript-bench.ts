/**
 * tardis-dev's or ccxt's Upbit decoder under the bench's protocol: arguments are the peer's name, the folder that it is installed in and a file of
 * frames, one a line. Each line on stdin is a number of seconds to decode for; the answer is one line of JSON with `frames` and `cpuSeconds`.
 */
import {readFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {pathToFileURL} from 'node:url'
import {decodeFor} from '../measure.ts'

/** Decodes a frame and returns the JSON text of what came out of it. */
type Decode = (frame: string) => string

interface TardisMapper {
  canHandle(message: unknown): boolean
  map(message: unknown, localTimestamp: Date): Iterable<unknown>
}

function tardis(folder: string): Decode {
  const mappers = createRequire(join(folder, 'package.json'))('tardis-dev/dist/mappers/upbit.js') as Record<string, new () => TardisMapper>
  const all = [mappers.UpbitTradesMapper, mappers.UpbitBookChangeMapper].map((Mapper) => {
    if (!Mapper) throw new Error('tardis-dev has no Upbit mapper here')
    return new Mapper()
  })
  return (frame) => {
    const message: unknown = JSON.parse(frame)
    const received = new Date(1_618_678_263_000)
    let text = ''
    for (const mapper of all) {
      if (mapper.canHandle(message)) for (const item of mapper.map(message, received)) text += JSON.stringify(item)
    }
    return text
  }
}

interface CcxtUpbit {
  orderbooks: Record<string, unknown>
  orderBook(snapshot: object, limit: number): unknown
  safeSymbol(marketId: string, market: undefined, delimiter: string): string
  handleMessage(client: {resolve(result: unknown, name: string): void}, message: unknown): void
}

async function ccxt(folder: string, frames: readonly string[]): Promise<Decode> {
  const entry = pathToFileURL(join(folder, 'node_modules/ccxt/js/ccxt.js')).href
  const {pro} = ((await import(entry)) as {default: {pro: {upbit: new () => CcxtUpbit}}}).default
  const exchange = new pro.upbit()
  // The capture has no snapshots, which is where ccxt would create its books.
  for (const code of new Set(frames.map((frame) => (JSON.parse(frame) as {code: string}).code))) {
    exchange.orderbooks[exchange.safeSymbol(code, undefined, '-')] = exchange.orderBook({}, 15)
  }
  let text = ''
  const client = {
    resolve(result: unknown, name: string) {
      // Trades come as the cache of all of them, the new one last.
      text = JSON.stringify(name.startsWith('trade') ? (result as unknown[]).at(-1) : result)
    },
  }
  return (frame) => {
    exchange.handleMessage(client, JSON.parse(frame))
    return text
  }
}

const [name, folder = '', framesFile = ''] = process.argv.slice(2)
const frames = readFileSync(framesFile, 'utf8').trimEnd().split('\n')
const decode = name === 'ccxt' ? await ccxt(folder, frames) : tardis(folder)
for (const frame of frames) if (decode(frame).length < 20) throw new Error(`${name} makes nothing of ${frame.slice(0, 80)}`)
for await (const line of createInterface({input: process.stdin})) {
  process.stdout.write(`${JSON.stringify(decodeFor(frames, decode, Number(line)))}\n`)
}
