import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {describe, expect, it} from 'vitest'
import type {MarketReader} from '../../src/lib/core/ports/market-reader.ts'
import {openMarketReader} from '../../src/lib/store/embedded/reader.ts'
import {createEmbeddedStore} from '../../src/lib/store/embedded/sink.ts'
import {testContext} from '../helpers/context.ts'
import {start} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'

const WRITER = fileURLToPath(new URL('../helpers/store-writer-process.ts', import.meta.url))
const BTC = {exchange: 'upbit', symbol: 'BTC-KRW'}
const PARTITION = {topic: 'market.trade', partition: 0}

function startWriter(path: string, group: string, count: number) {
  return start(process.execPath, [WRITER, path, group, String(count)])
}

async function storedIds(path: string): Promise<number[]> {
  const reader: MarketReader = openMarketReader({path}, testContext())
  await reader.connect()
  const {trades} = await reader.trades({...BTC, limit: 1_000_000})
  await reader.close()
  return trades.map(({tradeId}) => Number(tradeId)).sort((a, b) => a - b)
}

async function storedPosition(path: string, group: string): Promise<number> {
  const sink = createEmbeddedStore({path}, testContext())
  await sink.connect()
  const [position] = await sink.positions(group, [PARTITION])
  await sink.close()
  return position?.offset ?? 0
}

const upTo = (count: number) => Array.from({length: count}, (_, i) => i)

describe('the embedded store', () => {
  it('has exactly the rows below its position after kill -9, time and again', async () => {
    const path = join(await tempDir(), 'store.sqlite')
    for (let round = 1; round <= 6; round++) {
      const writer = startWriter(path, 'g', 1_000_000)
      await until('some batches are written', () => writer.output().stdout.split('\n').length > 10 * round)
      writer.child.kill('SIGKILL')
      const {stdout} = await writer.ended
      const reported = Number(stdout.trim().split('\n').at(-1))
      const position = await storedPosition(path, 'g')
      expect(position).toBeGreaterThanOrEqual(reported)
      expect(await storedIds(path)).toEqual(upTo(position))
    }
  })

  it('takes the same trades from two processes at once, each trade once', async () => {
    const path = join(await tempDir(), 'store.sqlite')
    const writers = ['a', 'b'].map((group) => startWriter(path, group, 4000))
    const ended = await Promise.all(writers.map((writer) => writer.ended))
    expect(ended.map(({code, stderr}) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ])
    expect(await storedIds(path)).toEqual(upTo(4000))
    expect([await storedPosition(path, 'a'), await storedPosition(path, 'b')]).toEqual([4000, 4000])
  })
})
