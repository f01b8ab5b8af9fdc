import {createReadStream} from 'node:fs'
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {CAPTURES, capturePath} from '../helpers/captures.ts'
import {COINPIPE, coinpipe, REPOSITORY, start} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'

const FIXTURE = join(REPOSITORY, 'test/fixtures/upbit/every-trait.capture')
const EXPECTED = join(REPOSITORY, 'test/fixtures/upbit/every-trait.records.jsonl')

describe('coinpipe decode', () => {
  it('prints the good records, says what was refused and where, and exits with 1', async () => {
    const {code, stdout, stderr} = await coinpipe('decode', FIXTURE, '--exchange', 'upbit')
    expect(code).toBe(1)
    expect(stdout).toBe(await readFile(EXPECTED, 'utf8'))
    expect(stderr).toContain('21 frames: 6 trade, 3 book, 3 ticker, 2 candle, 4 without data, 4 refused')
    expect(stderr).toContain('line 8: upbit sent -1 as trade_price/tp, where a number above 0 should be [COINPIPE_FRAME_INVALID_FIELD]')
    expect(stderr).toContain('[COINPIPE_FRAME_MALFORMED]')
  })

  it('reads stdin, and ends with the summary as JSON when asked to', async () => {
    const {child, ended} = start(COINPIPE, ['decode', '-', '--exchange', 'upbit', '--dedup', '--json'])
    createReadStream(FIXTURE).pipe(child.stdin)
    const {code, stdout, stderr} = await ended
    const lines = stdout.trimEnd().split('\n')
    expect({code, stderr}).toEqual({code: 1, stderr: ''})
    expect(lines.length).toBe(12)
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      frames: 21,
      records: {trade: 5, book: 2, ticker: 2, candle: 2},
      duplicates: 3,
      refused: 4,
    })
  })

  it('stops at once on Ctrl-C while it waits for stdin', async () => {
    const {child, ended, saw} = start(COINPIPE, ['decode', '-', '--exchange', 'upbit'])
    child.stdin.write(await readFile(FIXTURE))
    // Records are written in pieces: enough of them shows that it reads.
    for (let i = 0; i < 20; i++) child.stdin.write(await readFile(FIXTURE))
    await saw(/trade:upbit:BTC-KRW:17000000009500000/)
    child.kill('SIGINT')
    expect(await ended).toMatchObject({code: 130, stderr: expect.stringContaining('SIGINT')})
  })

  it('ends quietly when the reader of its output has gone', async () => {
    const capture = join(await tempDir(), 'long.capture')
    const frame = '1700000001.5: {"ty":"trade","cd":"KRW-BTC","ttms":1700000000950,"tp":5,"tv":1,"ab":"BID","sid":1}\n'
    await writeFile(capture, frame.repeat(50_000))
    const {ended} = start('sh', ['-c', '{ "$0" decode "$1" --exchange upbit; echo "exit $?" >&2; } | head -1', COINPIPE, capture])
    expect(await ended).toMatchObject({code: 0, stdout: expect.stringMatching(/^\{"type":"trade".*\n$/), stderr: 'exit 0\n'})
  })

  it.each([
    [['no-such-file', '--exchange', 'upbit'], 'COINPIPE_CAPTURE_UNUSABLE'],
    [['.', '--exchange', 'upbit'], 'COINPIPE_CAPTURE_UNUSABLE'],
    [[FIXTURE, '--exchange', 'upbeat'], 'one of: upbit'],
  ])('exits with 2 for %j', async (args, message) => {
    expect(await coinpipe('decode', ...args)).toMatchObject({code: 2, stdout: '', stderr: expect.stringContaining(message)})
  })

  it.skipIf(!CAPTURES)('gives 304 trades and 145 books of the real capture (skipped without COINPIPE_TEST_CAPTURES)', async () => {
    const {code, stdout, stderr} = await coinpipe('decode', capturePath('UPBIT.ws.62.0.gz'), '--exchange', 'upbit')
    expect({code, stderr}).toEqual({code: 0, stderr: '449 frames: 304 trade, 145 book, 0 without data, 0 refused\n'})
    expect(stdout.split('\n').length).toBe(450)
  })
})
