import {readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {describe, expect, it} from 'vitest'
import {type CaptureEntry, readCaptureFile} from '../../../src/lib/core/capture.ts'
import type {CoinRecord} from '../../../src/lib/core/records.ts'
import {findExchange} from '../../../src/lib/exchanges/registry.ts'
import {decodeCapture, describeDecode} from '../../../src/lib/pipeline/decode.ts'
import {CAPTURES, capturePath} from '../../helpers/captures.ts'

const FIXTURE = fileURLToPath(new URL('../../fixtures/upbit/every-trait.capture', import.meta.url))
const EXPECTED = fileURLToPath(new URL('../../fixtures/upbit/every-trait.records.jsonl', import.meta.url))

async function decodeAll(entries: AsyncIterable<CaptureEntry>, dedup = false) {
  let text = ''
  const write = async (lines: string) => {
    text += lines
  }
  const decoder = findExchange('upbit').createDecoder()
  const summary = await decodeCapture({entries, decoder, dedup, write})
  const records = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as CoinRecord)
  return {text, summary, records}
}

async function* entriesOf(...payloads: string[]): AsyncGenerator<CaptureEntry> {
  for (const [index, payload] of payloads.entries()) yield {kind: 'frame', time: 5, payload, line: index + 1}
}

describe('decodeCapture', () => {
  it('makes the expected records of a capture that has every trait of the format', async () => {
    const {text, summary} = await decodeAll(readCaptureFile(FIXTURE))
    expect(text).toBe(readFileSync(EXPECTED, 'utf8'))
    expect(summary).toMatchObject({
      frames: 21,
      records: {trade: 6, book: 3, ticker: 3, candle: 2},
      status: 4,
      errors: 2,
      refused: 4,
      duplicates: 0,
    })
    expect(summary.firstRefused.map(({line, code}) => [line, code])).toEqual([
      [8, 'COINPIPE_FRAME_INVALID_FIELD'],
      [15, 'COINPIPE_FRAME_UNKNOWN_TYPE'],
      [20, 'COINPIPE_FRAME_MALFORMED'],
      [26, 'COINPIPE_CAPTURE_LINE_UNREADABLE'],
    ])
  })

  it('leaves out with dedup what REST and the websocket both sent', async () => {
    const {summary, records} = await decodeAll(readCaptureFile(FIXTURE), true)
    expect(summary).toMatchObject({records: {trade: 5, book: 2, ticker: 2, candle: 2}, duplicates: 3})
    expect(new Set(records.map(({id}) => id)).size).toBe(records.length)
  })

  it('writes in pieces, not record by record', async () => {
    const trade = (id: number) => `{"ty":"trade","cd":"KRW-BTC","ttms":1700000000950,"tp":5,"tv":1,"ab":"BID","sid":${id}}`
    const pieces: number[] = []
    const entries = entriesOf(...Array.from({length: 2000}, (_, id) => trade(id)))
    const write = async (lines: string) => {
      pieces.push(lines.length)
    }
    await decodeCapture({entries, decoder: findExchange('upbit').createDecoder(), dedup: false, write})
    expect(pieces.length).toBeLessThan(10)
    expect(Math.max(...pieces)).toBeLessThan(70_000)
  })

  it('keeps only the first refusals', async () => {
    const {summary} = await decodeAll(entriesOf(...Array<string>(1000).fill('{')))
    expect([summary.refused, summary.firstRefused.length]).toEqual([1000, 20])
    expect(describeDecode(summary).at(-1)).toBe('and 980 more refused')
  })
})

describe.skipIf(!CAPTURES)(`real captures${CAPTURES ? '' : ' (skipped: set COINPIPE_TEST_CAPTURES to the folder of captures)'}`, () => {
  const upbit = () => readCaptureFile(capturePath('UPBIT.ws.62.0.gz'))

  it.each([false, true])('of Upbit give 304 trades and 145 books; dedup: %s', async (dedup) => {
    const {summary, records} = await decodeAll(upbit(), dedup)
    expect(summary).toEqual({
      frames: 449,
      records: {trade: 304, book: 145},
      duplicates: 0,
      status: 0,
      errors: 0,
      refused: 0,
      firstRefused: [],
    })
    const trades = records.filter((record) => record.type === 'trade')
    const count = (symbol: string) => trades.filter((trade) => trade.symbol === symbol).length
    expect([count('LAMB-KRW'), count('WAVES-KRW'), count('ITAM-BTC')]).toEqual([299, 3, 2])
  })

  it('of Upbit keep ids exactly and apart per market', async () => {
    const {records} = await decodeAll(upbit())
    const trades = records.filter((record) => record.type === 'trade')
    const raw = readCaptureFile(capturePath('UPBIT.ws.62.0.gz'))
    const sent: string[] = []
    for await (const entry of raw) if (entry.kind === 'frame') sent.push(...(/"sid":(\d+)/.exec(entry.payload.toString())?.slice(1) ?? []))
    expect(trades.map((trade) => trade.tradeId)).toEqual(sent)
    expect(sent.filter((id) => id.length === 17).length).toBe(2)
    expect(new Set(sent).size).toBe(301)
    expect(new Set(trades.map((trade) => trade.id)).size).toBe(304)
  })

  it('of Upbit REST answers give no record for a market list', async () => {
    const {summary} = await decodeAll(readCaptureFile(capturePath('UPBIT.0.gz')))
    expect(summary).toMatchObject({frames: 1, records: {}, status: 1, refused: 0})
  })

  it.each(['BINANCE.ws.1.0.gz', 'BITHUMB.0.gz', 'UPBIT.0.gz', 'UPBIT.ws.62.0.gz'])('%s has no unreadable line', async (name) => {
    for await (const entry of readCaptureFile(capturePath(name))) expect(entry.kind).not.toBe('unreadable')
  })
})
