import {execFileSync} from 'node:child_process'
import {once} from 'node:events'
import {open, rm, writeFile} from 'node:fs/promises'
import {createServer} from 'node:net'
import {join} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import {describe, expect, it, onTestFinished} from 'vitest'
import {encodeRecord} from '../../src/lib/core/codec.ts'
import {dataPaths} from '../../src/lib/pipeline/paths.ts'
import {GARBAGE_KINDS, parseFaults} from '../../src/lib/simulate/faults.ts'
import type {Simulator} from '../../src/lib/simulate/simulator.ts'
import {trade} from '../helpers/market-records.ts'
import {ledgerRecordIds, messagesOf, openSystem, type RunningPipeline, startPipeline} from '../helpers/pipeline.ts'
import {simulator} from '../helpers/simulator.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'

const canMount = process.platform === 'linux' && process.getuid?.() === 0

/** Waits until the store has every trade of the paused or finished simulator, and checks that it has each once. */
async function expectAllStored(sim: Simulator, pipeline: RunningPipeline, extra: readonly string[] = []): Promise<void> {
  const expected = new Set([...ledgerRecordIds(sim), ...extra])
  await until('every trade to be stored', async () => pipeline.failure() || (await pipeline.stored()).ids.size >= expected.size, 30_000)
  expect(pipeline.failure()).toBeUndefined()
  const stored = await pipeline.stored()
  expect(stored.repeated).toBe(0)
  expect([...expected].filter((id) => !stored.ids.has(id))).toEqual([])
  expect([...stored.ids].filter((id) => !expected.has(id))).toEqual([])
}

describe('bad input from the exchange, through log and store', () => {
  it('sets every kind of garbage aside, counts it, and stores every trade once', async () => {
    const faults = GARBAGE_KINDS.map((kind) => `garbage=${kind}@500ms`).join()
    const sim = await simulator({maxTrades: 3000, tradesPerSecond: 1500, faults: parseFaults(faults)})
    const pipeline = await startPipeline(sim, await tempDir())
    await sim.finished
    await expectAllStored(sim, pipeline)
    await until('all letters', async () => (await messagesOf(pipeline.system, 'ingest.upbit.dlq')).length >= GARBAGE_KINDS.length)

    const letters = await messagesOf(pipeline.system, 'ingest.upbit.dlq')
    const codes = letters.map(({headers}) => headers['error-code'] ?? '').sort()
    expect(codes).toEqual([
      'COINPIPE_FRAME_INVALID_FIELD',
      'COINPIPE_FRAME_INVALID_FIELD',
      'COINPIPE_FRAME_MALFORMED',
      'COINPIPE_FRAME_MALFORMED',
      'COINPIPE_FRAME_TOO_LARGE',
      'COINPIPE_FRAME_UNKNOWN_TYPE',
    ])
    for (const code of new Set(codes)) {
      const counted = pipeline.context.metrics.total('coinpipe_dead_letters_total', {component: 'upbit', code})
      expect(counted).toBe(codes.filter((other) => other === code).length)
    }
    const huge = letters.find(({headers}) => headers['error-code'] === 'COINPIPE_FRAME_TOO_LARGE')
    expect(huge?.value).toHaveLength(64 * 1024)
    expect(Number(huge?.headers['frame-bytes'])).toBeGreaterThan(10 * 1024 * 1024)
    const negative = letters.find(({value}) => Buffer.from(value ?? '').includes('-1.0'))
    expect(negative?.headers).toMatchObject({'error-code': 'COINPIPE_FRAME_INVALID_FIELD', attempts: '1'})
    expect(negative?.headers['error-message']).toContain('-1')
  })

  it('keeps ids beyond 2^53 apart', async () => {
    const sim = await simulator({maxTrades: 500, tradesPerSecond: 2000})
    const pipeline = await startPipeline(sim, await tempDir())
    await sim.finished
    await expectAllStored(sim, pipeline)
    const ids = [...sim.ledger.trades()].map(({sequentialId}) => sequentialId)
    expect(ids.every((id) => !Number.isSafeInteger(Number(id)))).toBe(true)
  })

  it('outlives error frames, dropped connections and a server that accepts and never answers', async () => {
    const faults = parseFaults('error=BUSY@500ms,drop@1s,hang@1s:1s,rest=500x2@2s,drop=1011@3s')
    const sim = await simulator({maxTrades: 4000, tradesPerSecond: 1000, faults})
    const pipeline = await startPipeline(sim, await tempDir())
    await sim.finished
    await expectAllStored(sim, pipeline)
    const text = await pipeline.context.metrics.text()
    expect(text).toMatch(/coinpipe_feed_reconnects_total\{exchange="upbit",reason="refused"\} 1/)
    expect(pipeline.context.metrics.total('coinpipe_feed_gaps_total', {exchange: 'upbit', state: 'filled'})).toBeGreaterThan(0)
  })

  it('waits for an exchange that never answers, says so in its health, counts the attempts, and stops when told', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const {system, context} = await openSystem(await tempDir())
    const address = server.address()
    const url = `ws://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`
    const timings = {connectTimeoutMs: 100}
    const stage = system.ingest('upbit', 'upbit', {channels: ['trade'], symbols: ['BTC-KRW'], url, timings} as never)
    const running = stage.run(context.signal)
    await until(
      'some attempts',
      () =>
        context.metrics.total('coinpipe_component_errors_total', {
          component: 'upbit',
          stage: 'connect',
          code: 'COINPIPE_FEED_UNREACHABLE',
        }) >= 2,
    )
    expect(context.health.report().components['ingest upbit']).toMatchObject({state: 'starting', message: 'connecting'})
    context.abort()
    await running
    expect(context.health.report().components['ingest upbit']).toMatchObject({state: 'down'})
  })
})

describe('bad records on the log', () => {
  it('sets poison, and what the store refuses, aside with all that is known of it, and stores the rest', async () => {
    const sim = await simulator({maxTrades: 2000, tradesPerSecond: 2000})
    const pipeline = await startPipeline(sim, await tempDir())
    await until('the first trades', async () => sim.ledger.count() > 100)
    const poison = new Uint8Array([0xff, 0xfe, 0x00, 0x7b])
    const negative = encodeRecord(trade('1', {price: '-5'}))
    const [bad, refused] = await pipeline.system.bus.publish([
      {topic: 'market.trade', partition: 3, key: 'k', value: poison, headers: {trace: 'abc'}},
      {topic: 'market.trade', partition: 3, key: null, value: negative},
      {topic: 'market.trade', partition: 3, key: null, value: encodeRecord(trade('2'))},
    ])
    await sim.finished
    await expectAllStored(sim, pipeline, ['trade:upbit:BTC-KRW:2'])
    await pipeline.stop()
    const letters = await messagesOf(pipeline.system, 'market.trade.sink.store.dlq')
    const source = {'source-topic': 'market.trade', 'source-partition': '3', attempts: '1'}
    expect(letters).toHaveLength(2)
    expect(Buffer.from(letters[0]?.value as Uint8Array)).toEqual(Buffer.from(poison))
    expect(letters[0]).toMatchObject({
      key: 'k',
      headers: {...source, trace: 'abc', 'source-offset': String(bad?.offset), 'error-code': 'COINPIPE_INVALID_RECORD'},
    })
    expect(letters[1]).toMatchObject({
      value: negative,
      headers: {...source, 'source-offset': String(refused?.offset), 'error-code': 'COINPIPE_STORE_RECORD'},
    })
    expect(letters[1]?.headers['error-message']).toContain('-5')
    expect(pipeline.context.metrics.total('coinpipe_dead_letters_total', {component: 'store'})).toBe(2)
    expect((await pipeline.system.bus.lag('sink.store')).filter(({lag}) => lag > 0)).toEqual([])
  })
})

describe('bad files', () => {
  it.skipIf(!canMount)(
    'loses nothing when the disk of log, spill and store is full, and goes on when there is room (needs root on Linux)',
    async () => {
      const dataDir = await tempDir()
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', dataDir])
      onTestFinished(() => void execFileSync('umount', ['--lazy', dataDir]))
      const sim = await simulator({tradesPerSecond: 1500})
      const pipeline = await startPipeline(sim, dataDir)
      const {metrics, health} = pipeline.context
      await until('the first trades', async () => (await pipeline.system.bus.lag('sink.store')).some(({committed}) => (committed ?? 0) > 0))
      await fill(join(dataDir, 'ballast'))
      const full = (code: string) => metrics.total('coinpipe_component_errors_total', {code}) > 0
      await until('the log to be full', () => full('COINPIPE_BUS_DISK_FULL'), 20_000)
      await until('the spill to be full', () => full('COINPIPE_SPILL_FAILED'), 20_000)
      expect(health.report().components['ingest upbit']).toMatchObject({state: 'degraded'})
      await rm(join(dataDir, 'ballast'))
      await until('the bus to be well', () => health.report().components['ingest upbit']?.state === 'up', 30_000)
      sim.pause()
      await expectAllStored(sim, pipeline)
    },
  )

  it('spills while another program holds the lock of the log, says so in its health, and loses nothing', async () => {
    const sim = await simulator({tradesPerSecond: 1000})
    const dataDir = await tempDir()
    const pipeline = await startPipeline(sim, dataDir)
    const {health, metrics} = pipeline.context
    const state = () => health.report().components['ingest upbit']?.state
    await until('the feed to be up', () => state() === 'up' && sim.ledger.count() > 500)
    const lock = new DatabaseSync(dataPaths(dataDir).log, {timeout: 5000})
    lock.exec('BEGIN IMMEDIATE')
    await until('it to say so', () => state() === 'degraded')
    await until('records on disk', () => metrics.total('coinpipe_spill_records_total', {component: 'upbit', direction: 'out'}) > 0)
    lock.exec('ROLLBACK')
    lock.close()
    await until('it to have caught up', () => state() === 'up', 20_000)
    sim.pause()
    await expectAllStored(sim, pipeline)
  })

  it('refuses a log that is something else, and leaves it alone', async () => {
    const dataDir = await tempDir()
    const {system} = await openSystem(dataDir)
    await system.close()
    await writeFile(dataPaths(dataDir).log, 'this is no log\n'.repeat(1000))
    await expect(openSystem(dataDir)).rejects.toMatchObject({code: 'COINPIPE_BUS_NOT_A_LOG', message: expect.stringContaining(dataDir)})
  })

  it('stops with the reason when the log is damaged, and fills a new one and keeps the store when that was moved away', async () => {
    const sim = await simulator({tradesPerSecond: 1000})
    const dataDir = await tempDir()
    const first = await startPipeline(sim, dataDir)
    await until('some trades', () => sim.ledger.count() > 2000, 10_000)
    await first.stop()
    await first.system.close()
    const before = (await first.stored()).ids
    expect(before.size).toBeGreaterThan(1000)
    await damage(dataPaths(dataDir).log)
    const error = await startPipeline(sim, dataDir).then(
      (pipeline) => until('it to fail', () => pipeline.failure()),
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({code: 'COINPIPE_BUS_CORRUPT', remedy: [expect.stringContaining('mv '), expect.anything()]})

    await rm(join(dataDir, 'log'), {recursive: true})
    const second = await startPipeline(sim, dataDir)
    const made = sim.ledger.count()
    await until('more trades', () => sim.ledger.count() > made + 1000, 10_000)
    sim.pause()
    await until('the new ones', async () => (await second.stored()).ids.size >= before.size + 900, 20_000)
    await second.stop()
    const stored = await second.stored()
    expect(stored.repeated).toBe(0)
    expect([...before].filter((id) => !stored.ids.has(id))).toEqual([])
    const logged = (await messagesOf(second.system, 'market.trade')).filter(({value}) => String(value).includes('"type":"trade"'))
    const ids = logged.map(({value}) => (JSON.parse(String(value)) as {id: string}).id)
    expect(ids.filter((id) => !stored.ids.has(id))).toEqual([])
  })
})

/** Takes all the room there is. */
async function fill(path: string): Promise<void> {
  const file = await open(path, 'w')
  try {
    for (const size of [1 << 20, 4096]) {
      const block = Buffer.alloc(size)
      try {
        for (;;) await file.writev([block])
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      }
    }
  } finally {
    await file.close()
  }
}

/** Overwrites much of a SQLite file behind its first pages. */
async function damage(path: string): Promise<void> {
  const file = await open(path, 'r+')
  const {size} = await file.stat()
  const noise = Buffer.alloc(4096, 0xa5)
  for (let at = 8192 * 2; at < size; at += 8192) await file.write(noise, 0, noise.length, at)
  await file.close()
}
