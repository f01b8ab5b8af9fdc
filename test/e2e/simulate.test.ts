import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {COINPIPE, coinpipe, type Started, start} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'

const MARKETS = ['--symbols', 'BTC-KRW,ETH-KRW']

/** The address that a server prints. */
async function addressOf(server: Started): Promise<string> {
  await server.saw(/ws:\/\/\S+\n/)
  const [url = ''] = /ws:\/\/\S+/.exec(server.output().stdout) ?? []
  return url
}

const summaryOf = ({stdout}: {stdout: string}) => JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')

describe('simulate, record, replay and decode', () => {
  it('hand the same trades from one to the other', async () => {
    const [first, second] = [join(await tempDir(), 'first.capture.gz'), join(await tempDir(), 'second.capture')]
    const simulator = start(COINPIPE, ['simulate', '--port', '0', '--rate', '2000', '--seed', '7', ...MARKETS])
    const recording = ['record', '--exchange', 'upbit', ...MARKETS, '--channels', 'trade']
    const recorded = await coinpipe(...recording, '--url', await addressOf(simulator), '--out', first, '--count', '1000', '--json')
    expect(recorded).toMatchObject({code: 0})
    expect(summaryOf(recorded).records).toBeGreaterThanOrEqual(1000)
    simulator.child.kill('SIGTERM')
    expect(await simulator.ended).toMatchObject({code: 0, stderr: expect.stringMatching(/\d+ trades made, \d+ sent, seed 7/)})

    const replay = start(COINPIPE, ['replay', first, '--port', '0', '--speed', 'max'])
    const again = start(COINPIPE, [...recording, '--url', await addressOf(replay), '--out', second])
    expect(await replay.ended).toMatchObject({code: 0, stderr: expect.stringContaining(`${summaryOf(recorded).frames} frames sent`)})
    again.child.kill('SIGINT')
    expect(await again.ended).toMatchObject({code: 0})

    const trades = async (path: string) => (await coinpipe('decode', path, '--exchange', 'upbit')).stdout.match(/"id":"trade:[^"]+"/g)
    expect(await trades(second)).toEqual(await trades(first))
    expect(await trades(first)).toHaveLength(summaryOf(recorded).records)
  })

  it('ends after --for, with one line of JSON', async () => {
    const simulated = await coinpipe('simulate', '--port', '0', '--for', '200ms', '--json')
    expect(simulated).toMatchObject({code: 0})
    expect(summaryOf(simulated)).toMatchObject({simulated: true, seed: 1, trades: 0, sent: {trade: 0}})
  })

  it.each([
    ['a fault that it does not know', ['simulate', '--fault', 'dorp@10s'], "'dorp@10s' is not a fault"],
    ['a burst that is not one', ['simulate', '--burst', 'often'], "'often' is not a burst"],
    ['an exchange that it does not simulate', ['simulate', '--exchange', 'okx'], '--exchange'],
    ['a symbol written the other way round', ['simulate', '--symbols', 'KRW-BTC'], "symbol 'KRW-BTC' cannot be simulated"],
    ['a speed that is none', ['replay', 'x', '--speed', 'fast'], "'fast' is not a speed"],
    ['a capture that is not there', ['replay', '/nowhere/at.all', '--port', '0'], 'cannot read /nowhere/at.all'],
    [
      'a channel that the exchange has not',
      ['record', '--exchange', 'upbit', '--channels', 'rumours', '--out', 'x'],
      "'rumours' is not a channel",
    ],
  ])('says with exit code 2 that it was given %s', async (_, args, message) => {
    expect(await coinpipe(...args)).toMatchObject({code: 2, stdout: '', stderr: expect.stringContaining(message)})
  })

  it('says with exit code 4 that the port is taken', async () => {
    const first = start(COINPIPE, ['simulate', '--port', '0'])
    const port = new URL(await addressOf(first)).port
    expect(await coinpipe('simulate', '--port', port)).toMatchObject({code: 4, stderr: expect.stringContaining('COINPIPE_SIMULATE_LISTEN')})
  })
})
