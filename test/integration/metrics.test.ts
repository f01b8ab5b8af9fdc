import {createServer} from 'node:net'
import {expect, it, onTestFinished} from 'vitest'
import {loadConfig} from '../../src/lib/config/load.ts'
import {createHealth} from '../../src/lib/observability/health.ts'
import {createLogger} from '../../src/lib/observability/logger.ts'
import {createStatusStream} from '../../src/lib/observability/status-stream.ts'
import {withMetrics} from '../../src/lib/pipeline/metrics.ts'
import {runStoreSink} from '../../src/lib/pipeline/parts.ts'
import type {RunContext} from '../../src/lib/pipeline/run.ts'
import {CannotListenError} from '../../src/lib/web/errors.ts'
import {testContext} from '../helpers/context.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {publishTrades} from '../helpers/trade-backlog.ts'
import {until} from '../helpers/until.ts'

const TRADES = 60_000
const LOCAL = {'metrics-host': '127.0.0.1'}

/** A command's context, and where it said that its metrics are. */
function runContext(): {context: RunContext; stop: () => void; url: () => string | undefined} {
  const lines: string[] = []
  const stream = createStatusStream({write: (text) => lines.push(text)})
  const {abort, ...base} = testContext()
  const context = {
    ...base,
    health: createHealth(base.clock),
    logger: createLogger({level: 'info', format: 'json', stream}),
    status: stream,
    stop: abort,
  }
  const url = () => /"url":"([^"]*)"/.exec(lines.join(''))?.[1]
  return {context, stop: abort, url}
}

/** The value of a metric of Prometheus' text format; undefined where it has none. */
function sample(text: string, metric: string): number | undefined {
  const line = text.split('\n').find((line) => line.startsWith(`${metric} `))
  return line === undefined ? undefined : Number(line.slice(metric.length + 1))
}

it('serves health, lag and catch-up of a sink from before its start to its end', async () => {
  const dataDir = await tempDir()
  await publishTrades(dataDir, TRADES)
  const {config} = await loadConfig({env: {}, flags: {dataDir}, defaultDataDir: dataDir})
  const {context, stop, url} = runContext()
  const flags = {...LOCAL, 'metrics-port': 0}
  const ended = withMetrics(flags, context, () => runStoreSink(config, {group: 'sink.store'}, context))
  onTestFinished(async () => {
    stop()
    await ended
  })
  const metricsUrl = await until('the address of the metrics', url)
  const metrics = async () => await (await fetch(metricsUrl)).text()

  const lag = 'coinpipe_component_lag_records{component="store"}'
  const behind = await until('the first look at the lag', async () => sample(await metrics(), lag))
  expect(behind).toBeLessThanOrEqual(TRADES)
  await until('the lag to be worked off', async () => sample(await metrics(), lag) === 0, 30_000)
  const text = await metrics()
  expect(sample(text, 'coinpipe_component_catch_up_seconds{component="store"}')).toBe(0)
  expect(sample(text, 'coinpipe_component_sent_total{component="store"}')).toBe(TRADES)

  const ready = await fetch(new URL('/readyz', metricsUrl))
  expect(ready.status).toBe(200)
  expect(await ready.json()).toMatchObject({state: 'up', components: {bus: {state: 'up'}, store: {state: 'up'}}})
  context.health.set('store', 'down', 'for a test')
  expect((await fetch(new URL('/healthz', metricsUrl))).status).toBe(503)
  const missing = await fetch(new URL('/api/markets', metricsUrl))
  expect(missing.status).toBe(404)

  stop()
  expect(await ended).toMatchObject({store: {sent: TRADES}})
  await expect(fetch(metricsUrl)).rejects.toThrow()
}, 60_000)

it('begins nothing where the port is taken', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void taken.close())
  const {port} = taken.address() as {port: number}
  let begun = false
  const run = withMetrics({...LOCAL, 'metrics-port': port}, runContext().context, async () => {
    begun = true
  })
  const error: unknown = await run.catch((error: unknown) => error)
  expect(error).toBeInstanceOf(CannotListenError)
  expect(error).toMatchObject({
    message: `cannot listen on 127.0.0.1 port ${port}: the port is in use by another process`,
    remedy: [expect.stringContaining('--metrics-port 0'), expect.stringContaining('--metrics-host 127.0.0.1')],
    exitCode: 4,
  })
  expect(begun).toBe(false)
})

it('listens nowhere without a port', async () => {
  const {context, url} = runContext()
  expect(await withMetrics(LOCAL, context, async () => 'done')).toBe('done')
  expect(url()).toBeUndefined()
})
