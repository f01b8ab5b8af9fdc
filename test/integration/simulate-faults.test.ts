import {existsSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {parseFaults} from '../../src/lib/simulate/faults.ts'
import type {Simulator} from '../../src/lib/simulate/simulator.ts'
import {complete, ledgerKeys, simulator, TRADES, tradeKeys} from '../helpers/simulator.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'
import {connectClient} from '../helpers/upbit-client.ts'

describe('simulator: faults and control', () => {
  const faultsNow = (sim: Simulator, text: string) => {
    for (const fault of parseFaults(text)) sim.schedule(fault)
  }
  const post = (sim: Simulator, path: string, body?: string) =>
    fetch(`${sim.restUrl}${path}`, {method: 'POST', ...(body === undefined ? {} : {body})})

  it.each([
    ['drop', 1006],
    ['drop=1011', 1011],
  ])('%s ends connections with %i', async (fault, code) => {
    const sim = await simulator()
    const client = await connectClient(sim.url)
    client.subscribe([TRADES])
    await until('trades arrive', () => client.frames.length > 0)
    faultsNow(sim, fault)
    expect(await until('the connection ends', () => client.closed())).toBe(code)
    expect(sim.stats().connections.dropped).toBe(1)
  })

  it('stall sends nothing and only pongs, for its time', async () => {
    const sim = await simulator()
    const client = await connectClient(sim.url)
    client.subscribe([TRADES])
    await until('trades arrive', () => client.frames.length > 0)
    let pongs = 0
    client.ws.on('pong', () => pongs++)
    faultsNow(sim, 'stall:300ms')
    const {sent} = sim.stats()
    client.ws.send('PING')
    client.ws.ping()
    await until('the pong', () => pongs === 1)
    await until('trades are withheld', () => sim.stats().faults.stalled > 0)
    await until('the stall ends', () => sim.stats().sent.trade > sent.trade)
    expect(client.frames).not.toContain('{"status":"UP"}')
    expect(client.closed()).toBeNull()
  })

  it('freeze holds everything back for its time, and loses nothing', async () => {
    const sim = await simulator({maxTrades: 2000})
    const client = await connectClient(sim.url)
    client.subscribe([TRADES])
    await until('trades arrive', () => client.frames.length > 0)
    let pongs = 0
    client.ws.on('pong', () => pongs++)
    const frozenAtMs = performance.now()
    faultsNow(sim, 'freeze:300ms')
    const late = await connectClient(sim.url)
    late.ws.send('PING')
    client.ws.ping()
    const {frames} = client
    const before = frames.length
    await until('an answer', () => late.frames.length > 0)
    expect(performance.now() - frozenAtMs).toBeGreaterThan(290)
    await until('the pong', () => pongs === 1)
    expect(frames.length).toBeGreaterThan(before)
    await complete(sim, client, 2000)
    expect(tradeKeys(client)).toEqual(ledgerKeys(sim))
  })

  it('hang accepts connections and never answers', async () => {
    const sim = await simulator()
    faultsNow(sim, 'hang:300ms')
    await expect(fetch(`${sim.restUrl}/v1/market/all`, {signal: AbortSignal.timeout(150)})).rejects.toThrow(/timeout/)
    await until('answers come again', () => fetch(`${sim.restUrl}/v1/market/all`, {signal: AbortSignal.timeout(100)}).catch(() => null))
  })

  it('refuse turns new connections away and keeps the open ones', async () => {
    const sim = await simulator()
    const client = await connectClient(sim.url)
    faultsNow(sim, 'refuse:300ms')
    await expect(connectClient(sim.url)).rejects.toThrow('ECONNREFUSED')
    client.ws.send('PING')
    await until('the open connection is answered', () => client.frames.length === 1)
    await until('connections are taken again', () => connectClient(sim.url).catch(() => null))
  })

  it('skip leaves trades to REST and duplicate sends them twice', async () => {
    const sim = await simulator({maxTrades: 1000, tradesPerSecond: 20_000})
    faultsNow(sim, 'skip=50,duplicate=30')
    const client = await connectClient(sim.url)
    client.subscribe([TRADES])
    await complete(sim, client, 980)
    const got = tradeKeys(client)
    expect(got).toHaveLength(980)
    expect(new Set(got).size).toBe(950)
    expect(ledgerKeys(sim)).toHaveLength(1000)
    expect(sim.stats().faults).toMatchObject({skipped: 50, duplicated: 30})
  })

  it('sends garbage of each kind, and error frames', async () => {
    const sim = await simulator()
    sim.pause()
    const client = await connectClient(sim.url)
    client.subscribe([TRADES])
    await until('the client is known', () => sim.stats().connections.open === 1)
    faultsNow(sim, 'garbage=malformed,garbage=unknown,garbage=missing,garbage=huge,garbage=nan,garbage=negative,error=INVALID_PARAM')
    await until('seven frames', () => client.frames.length === 7)
    const [malformed = '', unknown, missing = '', huge = '', nan = '', negative = '', error] = client.frames
    expect(() => JSON.parse(malformed)).toThrow()
    expect(unknown).toContain('"type":"mystery"')
    expect(JSON.parse(missing)).not.toHaveProperty('trade_price')
    expect(huge.length).toBeGreaterThan(10 * 1024 * 1024)
    expect(nan).toContain('"trade_price":NaN')
    expect(JSON.parse(negative).trade_price).toBe(-1)
    expect(error).toContain('INVALID_PARAM')
  })

  it('rest and slow answer requests wrongly or late, as many as asked', async () => {
    const sim = await simulator()
    faultsNow(sim, 'rest=429x2,rest=500')
    const statuses = []
    for (let i = 0; i < 4; i++) statuses.push((await fetch(`${sim.restUrl}/v1/market/all`)).status)
    expect(statuses).toEqual([429, 429, 500, 200])
    faultsNow(sim, 'slow=200ms')
    const started = performance.now()
    await fetch(`${sim.restUrl}/v1/market/all`)
    expect(performance.now() - started).toBeGreaterThanOrEqual(195)
  })

  it('brings scheduled faults about once the market moves', async () => {
    const sim = await simulator({faults: parseFaults('skip=10@100ms')})
    const client = await connectClient(sim.url)
    client.subscribe([TRADES])
    await until('trades arrive', () => client.frames.length > 0)
    expect(sim.stats().faults.skipped).toBe(0)
    await until('trades are skipped', () => sim.stats().faults.skipped === 10)
  })

  it('is controlled over HTTP', async () => {
    const sim = await simulator()
    expect(await (await post(sim, '/sim/resume')).json()).toMatchObject({simulated: true, running: true})
    await until('trades are made', () => sim.stats().trades > 10)
    expect(await (await post(sim, '/sim/faults', '{"faults":"skip=1,drop"}')).json()).toEqual({accepted: 2})
    expect(await (await post(sim, '/sim/pause')).json()).toMatchObject({running: false})
    const ledger = await (await fetch(`${sim.restUrl}/sim/ledger?market=KRW-BTC`)).text()
    expect(ledger.trimEnd().split('\n')).toHaveLength(1 + sim.ledger.count('KRW-BTC'))
    expect(await (await fetch(`${sim.restUrl}/sim/stats`)).json()).toEqual(sim.stats())
  })

  it.each(['', '{}', '{"faults":"dorp"}', 'x'.repeat(70_000)])('answers 400 with a remedy to a fault it cannot read', async (body) => {
    const response = await post(await simulator(), '/sim/faults', body)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({error: {name: 'COINPIPE_INVALID_INPUT'}})
  })

  it('writes every trade to the ledger file', async () => {
    const path = join(await tempDir(), 'ledger.tsv')
    const sim = await simulator({maxTrades: 3000, tradesPerSecond: 50_000, ledgerFile: path})
    sim.resume()
    await sim.finished
    const [header, ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n')
    expect(header).toMatch(/^#coinpipe-ledger 1\t/)
    const rows = lines.map((line) => line.split('\t'))
    expect(rows.map(([number]) => Number(number))).toEqual(Array.from({length: 3000}, (_, i) => i + 1))
    expect(rows.map(([, market, id, , price]) => `${market} ${id} ${Number(price)}`).sort()).toEqual(ledgerKeys(sim))
  })

  it.skipIf(!existsSync('/dev/full'))('stops the market where the ledger finds the disk full (skipped without /dev/full)', async () => {
    const sim = await simulator({ledgerFile: '/dev/full'})
    sim.resume()
    await expect(sim.finished).rejects.toMatchObject({code: 'COINPIPE_SIMULATE_LEDGER', message: expect.stringContaining('ENOSPC')})
    expect(sim.stats().running).toBe(false)
  })

  it('says which port is taken and which ledger cannot be written', async () => {
    const sim = await simulator()
    await expect(simulator({port: sim.port})).rejects.toMatchObject({
      code: 'COINPIPE_SIMULATE_LISTEN',
      message: expect.stringContaining('EADDRINUSE'),
    })
    await expect(simulator({ledgerFile: '/nowhere/ledger.tsv'})).rejects.toMatchObject({code: 'COINPIPE_SIMULATE_LEDGER'})
  })
})
