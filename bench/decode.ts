import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {readCaptureFile} from '../src/lib/core/capture.ts'
import {encodeRecord} from '../src/lib/core/codec.ts'
import type {CoinRecord} from '../src/lib/core/records.ts'
import {findExchange} from '../src/lib/exchanges/registry.ts'
import {capturePath} from '../test/helpers/captures.ts'
import {CCXT, CRYPTOFEED, type Peer, startCryptofeed, startJavaScriptPeer, TARDIS} from './decode-peers.ts'
import {decodeFor, type Measured, median} from './measure.ts'

const CAPTURE = 'UPBIT.ws.62.0.gz'
const WARM_UPS = 3
const WARM_UP_SECONDS = 1
const ROUNDS = 5
const SECONDS = 5
const MIN_OF_BOUND = 0.85
const MIN_OF_CRYPTOFEED = 4
const RECEIVED = 1_618_678_263_000_000

/** Short names of Upbit's SIMPLE format and the long ones that tardis-dev and ccxt read. */
const LONG_NAMES: Readonly<Record<string, string>> = {
  ty: 'type',
  cd: 'code',
  tms: 'timestamp',
  ttms: 'trade_timestamp',
  td: 'trade_date',
  ttm: 'trade_time',
  tp: 'trade_price',
  tv: 'trade_volume',
  ab: 'ask_bid',
  pcp: 'prev_closing_price',
  c: 'change',
  cp: 'change_price',
  sid: 'sequential_id',
  st: 'stream_type',
  tas: 'total_ask_size',
  tbs: 'total_bid_size',
  obu: 'orderbook_units',
  ap: 'ask_price',
  bp: 'bid_price',
  as: 'ask_size',
  bs: 'bid_size',
}

interface Contender {
  readonly name: string
  readonly run: (seconds: number) => Measured | Promise<Measured>
}

/** Frames per CPU-second from the text of a frame in memory to the JSON text of its record. */
export async function run(): Promise<boolean> {
  const frames = await readFrames()
  const longFrames = frames.map((frame) =>
    frame.replace(/"(\w+)":/g, (all, name: string) => (LONG_NAMES[name] ? `"${LONG_NAMES[name]}":` : all)),
  )
  const folder = mkdtempSync(join(tmpdir(), 'coinpipe-bench-'))
  const peers: Peer[] = []
  try {
    const fileOf = (name: string, lines: readonly string[]) => {
      writeFileSync(join(folder, name), `${lines.join('\n')}\n`)
      return join(folder, name)
    }
    const long = fileOf('long', longFrames)
    peers.push(startCryptofeed(fileOf('short', frames)), startJavaScriptPeer('tardis-dev', long), startJavaScriptPeer('ccxt', long))
    const names = [`cryptofeed ${CRYPTOFEED}`, `tardis-dev ${TARDIS} (long names)`, `ccxt ${CCXT} (long names)`]
    const rates = await measure([
      ...ownContenders(frames, longFrames),
      ...peers.map((peer, index) => ({name: names[index] ?? '', run: (seconds: number) => peer.run(seconds)})),
    ])
    return report(rates)
  } finally {
    for (const peer of peers) peer.close()
    rmSync(folder, {recursive: true, force: true})
  }
}

async function readFrames(): Promise<string[]> {
  const frames: string[] = []
  for await (const entry of readCaptureFile(capturePath(CAPTURE))) if (entry.kind === 'frame') frames.push(entry.payload.toString())
  return frames
}

/** Ours, and what no reader of JSON in this process that writes the same records can beat. */
function ownContenders(frames: readonly string[], longFrames: readonly string[]): Contender[] {
  const decoder = findExchange('upbit').createDecoder()
  let received = RECEIVED
  const recordOf = (frame: string): CoinRecord => {
    const decoded = decoder.decode(frame, received++)
    const record = decoded.kind === 'records' ? decoded.records[0] : undefined
    if (!record) throw new Error(`no record from ${frame.slice(0, 80)}`)
    return record
  }
  const decode = (frame: string) => encodeRecord(recordOf(frame))
  // As a parser would have made them: JSON.stringify takes longer for texts that are cut out of a frame.
  const finished = frames.map((frame): unknown => JSON.parse(decode(frame)))
  let next = 0
  const bound = (frame: string) => {
    if (!JSON.parse(frame)) throw new Error('not reached: every frame is an object')
    const record = finished[next]
    next = (next + 1) % finished.length
    return JSON.stringify(record)
  }
  return [
    {name: 'coinpipe', run: (seconds) => decodeFor(frames, decode, seconds)},
    {name: 'JSON.parse + JSON.stringify (the bound)', run: (seconds) => decodeFor(frames, bound, seconds)},
    {name: 'coinpipe (long names)', run: (seconds) => decodeFor(longFrames, decode, seconds)},
  ]
}

/** Medians in frames per CPU-second, in the order of the contenders. */
async function measure(contenders: readonly Contender[]): Promise<ReadonlyMap<string, number>> {
  const rates = contenders.map((): number[] => [])
  for (let round = 0; round < WARM_UPS + ROUNDS; round++) {
    for (const [index, {run}] of contenders.entries()) {
      const {frames, cpuSeconds} = await run(round < WARM_UPS ? WARM_UP_SECONDS : SECONDS)
      if (round >= WARM_UPS) rates[index]?.push(frames / cpuSeconds)
    }
  }
  return new Map(contenders.map(({name}, index) => [name, median(rates[index] ?? [])]))
}

function report(rates: ReadonlyMap<string, number>): boolean {
  const [ours = 0, bound = 0, , cryptofeed = 0] = [...rates.values()]
  process.stdout.write(`${CAPTURE}, frames per CPU-second, medians of ${ROUNDS} rounds of ${SECONDS} s\n`)
  for (const [name, rate] of rates) {
    process.stdout.write(
      `${name.padEnd(40)} ${Math.round(rate).toLocaleString('en').padStart(9)}  ${(1e6 / rate).toFixed(1).padStart(5)} CPU-s per million\n`,
    )
  }
  const ofBound = ours / bound
  const ofCryptofeed = ours / cryptofeed
  process.stdout.write(`of the bound: ${ofBound.toFixed(2)} (at least ${MIN_OF_BOUND})\n`)
  process.stdout.write(`of cryptofeed: ${ofCryptofeed.toFixed(2)} (at least ${MIN_OF_CRYPTOFEED})\n`)
  return ofBound >= MIN_OF_BOUND && ofCryptofeed >= MIN_OF_CRYPTOFEED
}
