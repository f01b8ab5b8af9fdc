import {access, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it, onTestFinished} from 'vitest'
import {readCaptureFile} from '../../src/lib/core/capture.ts'
import type {CaptureEvent} from '../../src/lib/core/capture-lines.ts'
import type {CoinRecord, Trade} from '../../src/lib/core/records.ts'
import {findExchange} from '../../src/lib/exchanges/registry.ts'
import {decodeCapture} from '../../src/lib/pipeline/decode.ts'
import {type RecordOptions, type RecordSummary, recordCapture} from '../../src/lib/pipeline/record.ts'
import {startReplay} from '../../src/lib/simulate/replay/replay.ts'
import {testContext} from '../helpers/context.ts'
import {ledgerKeys, simulator} from '../helpers/simulator.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'

const SYMBOLS = ['BTC-KRW', 'ETH-KRW', 'XRP-KRW']

const newPath = async (name = 'new.capture.gz') => join(await tempDir(), name)

function record(url: string, path: string, options: Partial<RecordOptions> = {}, context = testContext()): Promise<RecordSummary> {
  return recordCapture({exchange: 'upbit', feed: {channels: ['trade', 'book', 'ticker'], symbols: SYMBOLS, url}, path, ...options}, context)
}

async function eventsOf(path: string): Promise<CaptureEvent[]> {
  const events: CaptureEvent[] = []
  for await (const entry of readCaptureFile(path)) if (entry.kind !== 'unreadable') events.push(entry)
  return events
}

/** The records of a capture but for when they were received. */
async function recordsOf(path: string): Promise<Omit<CoinRecord, 'receivedTime'>[]> {
  let lines = ''
  const decoder = findExchange('upbit').createDecoder()
  const write = async (text: string) => {
    lines += text
  }
  await decodeCapture({entries: readCaptureFile(path), decoder, dedup: false, write})
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => {
      const {receivedTime: _, ...rest} = JSON.parse(line) as CoinRecord
      return rest
    })
}

describe('record', () => {
  it('keeps every frame: decoded, the capture has each trade of the simulator', async () => {
    const sim = await simulator({maxTrades: 2000, tradesPerSecond: 10_000, booksPerSecond: 50})
    const path = await newPath()
    const context = testContext()
    const recording = record(sim.url, path, {}, context)
    await sim.finished
    await until('the frames arrive', () => sim.stats().connections.open === 1)
    await sim.close()
    context.abort()
    const summary = await recording
    const trades = (await recordsOf(path)).filter((record): record is Omit<Trade, 'receivedTime'> => record.type === 'trade')
    expect(trades.map((trade) => `${trade.symbol.split('-').reverse().join('-')} ${trade.tradeId} ${Number(trade.price)}`).sort()).toEqual(
      expect.arrayContaining(ledgerKeys(sim)),
    )
    expect(summary).toMatchObject({path, connections: 1, frames: (await eventsOf(path)).filter(({kind}) => kind === 'frame').length})
  })

  it('replayed and recorded again, has the same frames and the same records', async () => {
    const sim = await simulator()
    const [first, second] = [await newPath(), await newPath('second.capture')]
    await record(sim.url, first, {maxRecords: 500})
    const replay = await startReplay({path: first, speed: null}, testContext())
    onTestFinished(() => replay.close())
    const context = testContext()
    const again = record(replay.url, second, {}, context)
    await replay.finished
    context.abort()
    await again
    const frames = async (path: string) => (await eventsOf(path)).filter((event) => event.kind === 'frame').map(({payload}) => payload)
    expect(await frames(second)).toEqual(await frames(first))
    expect(await recordsOf(second)).toEqual(await recordsOf(first))
    expect((await recordsOf(first)).length).toBeGreaterThanOrEqual(500)
  })

  it('begins with the connection and the subscription', async () => {
    const sim = await simulator()
    const path = await newPath('plain.capture')
    await record(sim.url, path, {maxRecords: 10})
    const [connect, sent] = await eventsOf(path)
    expect(connect).toMatchObject({kind: 'connect', url: sim.url})
    expect(sent).toMatchObject({kind: 'sent', payload: expect.stringContaining('"KRW-BTC"')})
  })

  it('does not touch a file that exists', async () => {
    const path = await newPath()
    await writeFile(path, 'mine')
    await expect(record('ws://127.0.0.1:9', path)).rejects.toMatchObject({code: 'COINPIPE_CAPTURE_UNUSABLE'})
    expect(await readFile(path, 'utf8')).toBe('mine')
  })

  it('says that the exchange cannot be reached, and leaves no file in the way of the next try', async () => {
    const path = await newPath()
    await expect(record('ws://127.0.0.1:9/websocket/v1', path)).rejects.toMatchObject({code: 'COINPIPE_FEED_UNREACHABLE'})
    await expect(access(path)).rejects.toMatchObject({code: 'ENOENT'})
  })

  it('has on disk what it received, before it is closed', async () => {
    const sim = await simulator()
    const path = await newPath()
    const context = testContext()
    const recording = record(sim.url, path, {}, context)
    const readable = async () => {
      let frames = 0
      try {
        for await (const entry of readCaptureFile(path)) if (entry.kind === 'frame') frames++
      } catch {
        // It breaks off: nobody has closed it yet.
      }
      return frames
    }
    await until('frames are on disk', async () => (await readable()) > 100)
    context.abort()
    await recording
    expect(await readable()).toBe((await eventsOf(path)).filter(({kind}) => kind === 'frame').length)
  })
})
