import {createServer} from 'node:http'
import {describe, expect, it, onTestFinished} from 'vitest'
import {RateLimiter} from '../../../../src/lib/exchanges/feed/rate-limiter.ts'
import {RestClient} from '../../../../src/lib/exchanges/feed/rest-client.ts'
import {createLogger} from '../../../../src/lib/observability/logger.ts'
import {testContext} from '../../../helpers/context.ts'
import {FakeClock} from '../../../helpers/fake-clock.ts'

/** A client on a clock that never waits, and what it logs at `warn` and above. */
function client() {
  const warnings: Record<string, unknown>[] = []
  const stream = {write: (line: string) => warnings.push(JSON.parse(line))}
  const clock = new FakeClock()
  const context = {...testContext(), clock, logger: createLogger({level: 'warn', format: 'json', stream})}
  const rest = new RestClient({exchange: 'upbit', limiter: new RateLimiter({count: 1000, perMs: 1}, clock), blockedWaitMs: 1}, context)
  onTestFinished(() => rest.close())
  return {rest, warnings, signal: context.signal}
}

describe('RestClient', () => {
  it('warns once while nothing answers, with what to do, and again after there was an answer', async () => {
    const {rest, warnings, signal} = client()
    let answering = true
    const server = createServer((_request, response) => (answering ? response.end('[]') : response.destroy()))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const address = server.address()
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}/v1/market/all`

    answering = false
    await expect(rest.get(url, signal)).rejects.toMatchObject({code: 'COINPIPE_REST_UNREACHABLE'})
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatchObject({
      url,
      code: 'COINPIPE_REST_UNREACHABLE',
      remedy: [expect.any(String), expect.stringContaining('--rest-url')],
    })

    answering = true
    expect(await rest.get(url, signal)).toBe('[]')
    answering = false
    await expect(rest.get(url, signal)).rejects.toMatchObject({code: 'COINPIPE_REST_UNREACHABLE'})
    expect(warnings).toHaveLength(2)
  })
})
