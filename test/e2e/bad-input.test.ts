import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {dataPaths} from '../../src/lib/pipeline/paths.ts'
import {COINPIPE, coinpipe, start} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'

describe('bad input at the command line', () => {
  it('ends with 2 for a config typo, and names the place, what was seen and what is allowed', async () => {
    const config = join(await tempDir(), 'coinpipe.yaml')
    await writeFile(config, 'version: 1\nserve: {prot: 9000}\nbus: {kind: rabbit}\n')
    const {code, stdout, stderr} = await coinpipe('up', '--config', config)
    expect({code, stdout}).toEqual({code: 2, stdout: ''})
    expect(stderr).toContain(`serve.prot: saw an unknown key, allowed host, port; did you mean 'port'? (${config}:2:9)`)
    expect(stderr).toContain(`bus.kind: saw 'rabbit', allowed embedded, kafka (${config}:3:7)`)
    expect(stderr).toContain('[COINPIPE_CONFIG_INVALID]')
  })

  it.each([
    ['ingest', '--exchange', 'upbit'],
    ['sink', 'store'],
    ['aggregate', 'candles'],
  ])('ends with 2 and no stack where the log is another file: %s %s', async (...command) => {
    const dataDir = await tempDir()
    const {log} = dataPaths(dataDir)
    await mkdir(dirname(log), {recursive: true})
    const diary = 'a diary, no log\n'.repeat(500)
    await writeFile(log, diary)
    const {code, stderr} = await coinpipe(...command, '--data-dir', dataDir)
    expect(code).toBe(2)
    expect(stderr).toContain(`${log} is not a coinpipe log`)
    expect(stderr).toContain('--data-dir')
    expect(stderr).not.toMatch(/\n\s+at /)
    expect(await readFile(log, 'utf8')).toBe(diary)
  })

  it('says that a name cannot be resolved, tries again, and stops cleanly', async () => {
    const url = 'wss://no-such-exchange.invalid/websocket/v1'
    const args = ['ingest', '--exchange', 'upbit', '--symbols', 'BTC-KRW', '--url', url, '--data-dir', await tempDir()]
    const {child, saw, ended} = start(COINPIPE, args)
    await saw(/COINPIPE_FEED_DNS.*cannot resolve 'no-such-exchange\.invalid'[\s\S]*COINPIPE_FEED_DNS/)
    child.kill('SIGINT')
    expect((await ended).code).toBe(0)
  })

  it('refuses a second collector of the same name', async () => {
    const args = ['ingest', '--exchange', 'upbit', '--symbols', 'BTC-KRW', '--url', 'ws://127.0.0.1:1', '--data-dir', await tempDir()]
    const first = start(COINPIPE, args)
    await first.saw(/COINPIPE_FEED_UNREACHABLE/)
    const {code, stderr} = await coinpipe(...args)
    expect(code).toBe(2)
    expect(stderr).toContain("ingest 'upbit' is running already")
    expect(stderr).toContain('--name')
  })
})
