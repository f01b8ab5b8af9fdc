import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {PassThrough, Readable} from 'node:stream'
import {gunzipSync, gzipSync} from 'node:zlib'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {type CaptureEntry, CaptureError, createCapture, readCapture, readCaptureFile} from '../../../src/lib/core/capture.ts'
import {type CaptureEvent, formatLine, parseLine, unescapeBytes} from '../../../src/lib/core/capture-lines.ts'
import {AbortedError} from '../../../src/lib/core/errors.ts'
import {arbitraryUtf8Text} from '../../helpers/arbitrary-text.ts'
import {tempDir} from '../../helpers/temp-dir.ts'

const EVENTS: readonly CaptureEvent[] = [
  {kind: 'connect', time: 1_618_678_261_681_707, url: 'wss://api.upbit.com/websocket/v1'},
  {kind: 'sent', time: 1_618_678_262_670_261, url: 'wss://api.upbit.com/websocket/v1', payload: '[{"ticket":"x"}]'},
  {kind: 'frame', time: 1_618_678_263_010_785, payload: '{"ty":"trade"}'},
  {kind: 'frame', time: 1_618_678_263_010_786, payload: Buffer.from('{"korean_name":"비트코인"}\n')},
  {kind: 'frame', time: 1_618_678_263_010_787, payload: Buffer.from([0x00, 0xff, 0x0a, 0xc3])},
  {kind: 'rest', time: 1_618_678_261_680_079, url: 'https://api.upbit.com/v1/market/all', payload: '[]'},
]

async function collect(entries: AsyncIterable<CaptureEntry>): Promise<CaptureEntry[]> {
  const all: CaptureEntry[] = []
  for await (const entry of entries) all.push(entry)
  return all
}

/** Bytes as Python's repr writes them. */
function pythonLiteral(bytes: Uint8Array): string {
  const names: Record<number, string> = {10: '\\n', 13: '\\r', 9: '\\t', 92: '\\\\', 39: "\\'"}
  const write = (byte: number) => {
    if (names[byte] !== undefined) return names[byte]
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return Array.from(bytes, write).join('')
}

describe('the format of cryptofeed', () => {
  it('reads each kind of line', () => {
    expect(parseLine('wss://x/v1 <-> 1618678261.681707')).toEqual({kind: 'connect', time: 1618678261681707, url: 'wss://x/v1'})
    expect(parseLine('wss://x/v1 <- 1618678262.5: [{"a": 1}]')).toEqual({
      kind: 'sent',
      time: 1618678262500000,
      url: 'wss://x/v1',
      payload: '[{"a": 1}]',
    })
    expect(parseLine('1618678263.010785: {"a": "b: c"}')).toEqual({kind: 'frame', time: 1618678263010785, payload: '{"a": "b: c"}'})
    expect(parseLine('https://x/all -> 1618678261.6800792: [1]')).toEqual({
      kind: 'rest',
      time: 1618678261680079,
      url: 'https://x/all',
      payload: '[1]',
    })
    expect(parseLine('https://x/all -> 1618678261: [1] header: {"Date": "now"}')).toMatchObject({kind: 'rest', payload: '[1]'})
    expect(parseLine('configuration: {"trades":["LAMB-KRW"]}')).toEqual({kind: 'nothing'})
    expect(parseLine('')).toEqual({kind: 'nothing'})
  })

  it.each(['what is this', 'wss://x <= 5: x', 'x: y', '-1: {}', "1.5: b'\\q'", "1.5: b'\\x0'", "1.5: b'é'", "1.5: b'a\\'"])(
    'reports %j',
    (line) => {
      expect(parseLine(line)).toMatchObject({kind: 'unreadable', message: expect.any(String)})
    },
  )

  it('keeps microseconds that a double would round', () => {
    expect(parseLine('1618678263.999999999: x')).toMatchObject({time: 1618678263999999})
    expect(parseLine('1618678262.582106: x')).toMatchObject({time: 1618678262582106})
  })

  it('unescapes byte literals exactly', () => {
    expect(unescapeBytes("\\x00\\xff\\\\n\\'\\n\\t\\r")).toEqual(Buffer.from([0, 255, 0x5c, 0x6e, 0x27, 0x0a, 0x09, 0x0d]))
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(unescapeBytes(pythonLiteral(bytes))).toEqual(Buffer.from(bytes))
      }),
    )
  })

  it('takes either quote', () => {
    expect(parseLine(`1.5: b"it's"`)).toEqual({kind: 'frame', time: 1_500_000, payload: Buffer.from("it's")})
  })
})

describe('our own format', () => {
  it('survives a round trip through a line, text and bytes apart', () => {
    for (const event of EVENTS) expect(parseLine(formatLine(event))).toEqual(event)
    const payload = fc.oneof(
      arbitraryUtf8Text(30),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    )
    fc.assert(
      fc.property(payload, fc.maxSafeNat(), (payload, time) => {
        const event = {kind: 'frame', time, payload} as const
        expect(parseLine(formatLine(event))).toEqual(event)
      }),
    )
  })

  it.each(['capture.jsonl', 'capture.jsonl.gz'])('writes %s and reads it back', async (name) => {
    const path = join(await tempDir(), name)
    const capture = await createCapture(path, 'upbit')
    for (const event of EVENTS) await capture.write(event)
    await capture.close()
    await capture.close()
    expect(await collect(readCaptureFile(path))).toEqual(EVENTS.map((event, index) => ({...event, line: index + 2})))
    const bytes = await readFile(path)
    const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
    expect(text.split('\n')[0]).toBe('{"coinpipe":"capture","version":1,"exchange":"upbit"}')
  })

  it('never writes over a file', async () => {
    const path = join(await tempDir(), 'there.jsonl')
    await writeFile(path, 'precious')
    await expect(createCapture(path, 'upbit')).rejects.toThrow(CaptureError)
    expect(await readFile(path, 'utf8')).toBe('precious')
  })

  it.each([
    '{"coinpipe":"capture","version":2}',
    '{',
    '{"kind":"frame","time":1}',
    '{"kind":"frame","time":1.5,"text":""}',
    '{"kind":"sent","time":1,"text":""}',
  ])('reports %s', (line) => {
    expect(parseLine(line)).toMatchObject({kind: 'unreadable'})
  })
})

describe('readCapture', () => {
  const lines = '1.5: a\n\n1.6: 비\r\n1.7: c'
  const expected = [
    {kind: 'frame', time: 1_500_000, payload: 'a', line: 1},
    {kind: 'frame', time: 1_600_000, payload: '비', line: 3},
    {kind: 'frame', time: 1_700_000, payload: 'c', line: 4},
  ]

  it.each([
    ['plain', Buffer.from(lines)],
    ['gzipped', gzipSync(lines)],
    ['gzipped in two members', Buffer.concat([gzipSync(lines.slice(0, 8)), gzipSync(lines.slice(8))])],
  ])('reads %s bytes, however they are cut into chunks', async (_name, bytes) => {
    for (const size of [1, 2, 3, 7, 1000]) {
      const chunks = Array.from({length: Math.ceil(bytes.length / size)}, (_, index) => bytes.subarray(index * size, (index + 1) * size))
      expect(await collect(readCapture(Readable.from(chunks), 'test'))).toEqual(expected)
    }
  })

  it('reads an empty file', async () => {
    expect(await collect(readCapture(Readable.from([]), 'test'))).toEqual([])
  })

  it('reports a line that is too long, and reads on', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    const chunks = [Buffer.from('1.5: '), ...Array<Buffer>(17).fill(chunk), Buffer.from('\n1.6: b\n')]
    const entries = await collect(readCapture(Readable.from(chunks), 'test'))
    expect(entries).toEqual([
      {kind: 'unreadable', message: 'it is longer than 16777216 bytes', line: 1},
      {kind: 'frame', time: 1_600_000, payload: 'b', line: 2},
    ])
  })

  it('gives what it could read of a damaged file, then says where it stopped', async () => {
    const whole = gzipSync('1.5: a\n'.repeat(50_000))
    const entries = readCapture(Readable.from([whole.subarray(0, whole.length - 20)]), 'cut.gz')
    let count = 0
    const reading = async () => {
      for await (const entry of entries) count += entry.kind === 'frame' ? 1 : 0
    }
    await expect(reading()).rejects.toThrow(/cannot read cut.gz after line \d+: unexpected end of file/)
    expect(count).toBeGreaterThan(0)
  })

  it.each([
    ['missing', /cannot read .*missing: ENOENT/],
    ['.', /cannot read .*: EISDIR/],
  ])('refuses %s', async (name, message) => {
    const reading = collect(readCaptureFile(join(await tempDir(), name)))
    await expect(reading).rejects.toThrow(message)
    await expect(reading).rejects.toMatchObject({code: 'COINPIPE_CAPTURE_UNUSABLE', exitCode: 2})
  })

  it.each(['waiting for more', 'stopped before'])('ends with the reason of its signal, when %s', async (when) => {
    const controller = new AbortController()
    const reason = new AbortedError('enough')
    const source = new PassThrough()
    source.write(gzipSync('1.5: a\n'))
    if (when === 'stopped before') controller.abort(reason)
    const reading = collect(readCapture(source, 'test', controller.signal))
    controller.abort(reason)
    await expect(reading).rejects.toBe(reason)
    expect(source.destroyed).toBe(true)
  })

  it('closes its source when the reader stops early', async () => {
    const source = Readable.from([gzipSync(lines)])
    for await (const entry of readCapture(source, 'test')) if (entry.line === 1) break
    expect(source.destroyed).toBe(true)
  })
})
