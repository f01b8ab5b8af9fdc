import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {describe, expect, it, onTestFinished} from 'vitest'
import {WebSocket} from 'ws'
import {readCaptureFile} from '../../src/lib/core/capture.ts'
import {type CaptureEvent, captureHeader, formatLine} from '../../src/lib/core/capture-lines.ts'
import {type Replay, type ReplayOptions, startReplay} from '../../src/lib/simulate/replay/replay.ts'
import {CAPTURES, capturePath} from '../helpers/captures.ts'
import {testContext} from '../helpers/context.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'
import {connectClient} from '../helpers/upbit-client.ts'

const URL_RECORDED = 'wss://api.upbit.com/websocket/v1'
const START_US = 1_763_700_000_000_000
const GREETING: CaptureEvent[] = [
  {kind: 'connect', time: START_US, url: URL_RECORDED},
  {kind: 'sent', time: START_US, url: URL_RECORDED, payload: '[{"ticket":"x"}]'},
]

const frame = (afterMs: number, payload: string | Uint8Array): CaptureEvent => ({kind: 'frame', time: START_US + afterMs * 1000, payload})

async function captureOf(events: readonly CaptureEvent[]): Promise<string> {
  const path = join(await tempDir(), 'test.capture')
  await writeFile(path, `${[captureHeader('upbit'), ...events.map(formatLine)].join('\n')}\n`)
  return path
}

async function replay(options: ReplayOptions): Promise<Replay> {
  const started = await startReplay(options, testContext())
  onTestFinished(() => started.close())
  return started
}

/** Frames as they come, whatever their kind. */
function listen(
  url: string,
  greeting?: string,
): {frames: {data: Buffer; isBinary: boolean; atMs: number}[]; ws: WebSocket; closed: () => number | null} {
  const ws = new WebSocket(url)
  const frames: {data: Buffer; isBinary: boolean; atMs: number}[] = []
  let code: number | null = null
  ws.on('message', (data, isBinary) => frames.push({data: Buffer.from(data as Buffer), isBinary, atMs: performance.now()}))
  ws.on('open', () => {
    if (greeting !== undefined) ws.send(greeting)
  })
  ws.on('close', (closeCode) => {
    code = closeCode
  })
  onTestFinished(() => ws.terminate())
  return {frames, ws, closed: () => code}
}

describe('replay', () => {
  it('sends text as text and bytes as bytes, unchanged, and closes at the end', async () => {
    const bytes = Buffer.from([0, 255, 128, 10, 13, 123])
    const path = await captureOf([...GREETING, frame(0, '{"a": "가나"}'), frame(1, bytes), frame(2, Buffer.from('{"b":2}'))])
    const server = await replay({path, speed: null})
    expect(server.url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/websocket\/v1$/)
    const client = listen(server.url, 'anything')
    expect(await until('the end', client.closed)).toBe(1000)
    await server.finished
    expect(client.frames.map(({data, isBinary}) => [isBinary, data])).toEqual([
      [false, Buffer.from('{"a": "가나"}')],
      [true, bytes],
      [true, Buffer.from('{"b":2}')],
    ])
    expect(server.stats()).toMatchObject({captured: 3, sent: 3, clients: 1, unreadable: 0})
  })

  it('waits for a subscription, to which a keep-alive does not count', async () => {
    const server = await replay({path: await captureOf([...GREETING, frame(0, 'data')]), speed: null})
    const client = await connectClient(server.url)
    client.ws.send('PING')
    await until('the answer', () => client.frames.length === 1)
    expect(client.frames).toEqual(['{"status":"UP"}'])
    client.ws.send('[]')
    await until('the frame', () => client.frames.length === 2)
    expect(client.frames[1]).toBe('data')
  })

  it('begins at once where the recorded client sent nothing', async () => {
    const path = await captureOf([
      {kind: 'connect', time: START_US, url: 'wss://example.com/stream?streams=a@trade/b@trade'},
      frame(0, 'data'),
    ])
    const server = await replay({path, speed: null})
    expect(server.url).toContain('/stream?streams=a@trade/b@trade')
    const client = listen(server.url)
    await until('the end', client.closed)
    expect(client.frames.map(({data}) => data.toString())).toEqual(['data'])
  })

  it.each([
    [1, 300],
    [3, 100],
  ])('keeps the recorded pace times %i', async (speed, tookMs) => {
    const server = await replay({path: await captureOf([...GREETING, frame(0, 'a'), frame(150, 'b'), frame(300, 'c')]), speed})
    const client = listen(server.url, '[]')
    await until('the end', client.closed)
    const [first, second, last] = client.frames.map(({atMs}) => atMs)
    // Timers may fire up to a millisecond early.
    expect(last! - first!).toBeGreaterThan(tookMs - 10)
    expect(second! - first!).toBeGreaterThan(tookMs / 2 - 10)
    expect(last! - first!).toBeLessThan(tookMs + 2000)
  })

  it('gives every client the capture from its start, and ends after the last', async () => {
    const path = await captureOf([...GREETING, frame(0, 'a'), frame(200, 'b'), frame(60_000_000, 'late')])
    const server = await replay({path})
    const leaving = listen(server.url, '[]')
    await until('the first frame', () => leaving.frames.length === 1)
    leaving.ws.terminate()
    const next = listen(server.url, '[]')
    await until('both frames', () => next.frames.length === 2)
    expect(next.frames.map(({data}) => data.toString())).toEqual(['a', 'b'])
    expect(server.stats().clients).toBe(2)
  })

  it('loops until it has sent as many frames as asked', async () => {
    const server = await replay({path: await captureOf([...GREETING, frame(0, 'a'), frame(1, 'b')]), speed: null, loop: true, maxFrames: 7})
    const client = listen(server.url, '[]')
    await server.finished
    await until('the end', client.closed)
    expect(client.frames.map(({data}) => data.toString()).join('')).toBe('abababa')
  })

  it('serves REST answers at their paths, in their order', async () => {
    const rest = (url: string, payload: string): CaptureEvent => ({kind: 'rest', time: START_US, url, payload})
    const path = await captureOf([
      rest('https://api.upbit.com/v1/market/all', '[1]'),
      rest('https://api.upbit.com/v1/market/all', '[2]'),
      rest('https://api.upbit.com/v1/orderbook?markets=KRW-BTC', '[3]'),
      ...GREETING,
    ])
    const server = await replay({path})
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`)
      return [response.status, await response.text()]
    }
    expect(await get('/v1/market/all')).toEqual([200, '[1]'])
    expect(await get('/v1/market/all?isDetails=false')).toEqual([200, '[2]'])
    expect(await get('/v1/market/all')).toEqual([200, '[2]'])
    expect(await get('/v1/orderbook?markets=KRW-BTC')).toEqual([200, '[3]'])
    expect((await get('/v1/orderbook?markets=KRW-ETH'))[0]).toBe(404)
  })

  it('plays a capture that breaks off as far as it goes', async () => {
    const whole = await captureOf([...GREETING, ...Array.from({length: 5000}, (_, i) => frame(0, `frame ${i} ${Math.sin(i)}`))])
    const torn = `${whole}.gz`
    const packed = gzipSync(await readFile(whole))
    await writeFile(torn, packed.subarray(0, packed.length / 2))
    const server = await replay({path: torn, speed: null})
    const client = listen(server.url, '[]')
    await until('the end', client.closed)
    expect(client.frames.length).toBeGreaterThan(1000)
    expect(client.frames.map(({data}) => data.toString())).toEqual(
      Array.from({length: client.frames.length}, (_, i) => `frame ${i} ${Math.sin(i)}`),
    )
  })

  it('refuses what holds nothing to replay', async () => {
    await expect(replay({path: await captureOf([])})).rejects.toMatchObject({code: 'COINPIPE_REPLAY_EMPTY'})
    await expect(replay({path: '/nowhere/at.all'})).rejects.toMatchObject({code: 'COINPIPE_CAPTURE_UNUSABLE'})
  })

  it.skipIf(CAPTURES === undefined)('sends a real capture byte by byte (skipped where ../shared/captures is missing)', async () => {
    const path = capturePath('UPBIT.ws.62.0.gz')
    const expected: Buffer[] = []
    for await (const entry of readCaptureFile(path)) if (entry.kind === 'frame') expected.push(Buffer.from(entry.payload as Uint8Array))
    const server = await replay({path, speed: null})
    const client = listen(server.url, '[]')
    await until('the end', client.closed)
    expect(expected).toHaveLength(449)
    expect(client.frames.every(({isBinary}) => isBinary)).toBe(true)
    expect(Buffer.concat(client.frames.map(({data}) => data)).equals(Buffer.concat(expected))).toBe(true)
  })
})
