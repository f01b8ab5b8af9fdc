import {type AddressInfo, createServer} from 'node:net'
import {expect, it, onTestFinished} from 'vitest'
import {KafkaAdmin} from '../../src/lib/bus/kafka/admin/kafka-admin.ts'
import {KAFKA_DEFAULTS, type KafkaOptions} from '../../src/lib/bus/kafka/options.ts'
import {testContext} from '../helpers/context.ts'
import {silentServer} from '../helpers/silent-server.ts'

const SASL = {mechanism: 'plain', username: 'me', password: 'secret'} as const
/** A fatal one, protocol version: https://www.rfc-editor.org/rfc/rfc8446#section-6 */
const TLS_ALERT = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46])

async function failure(changes: Partial<KafkaOptions>): Promise<unknown> {
  const admin = new KafkaAdmin({...KAFKA_DEFAULTS, brokers: [], connectTimeoutMs: 300, ...changes}, testContext())
  onTestFinished(() => admin.close())
  return await admin.connect().then(
    () => undefined,
    (error: unknown) => error,
  )
}

it('names the addresses where nobody answers', async () => {
  const error = await failure({brokers: ['127.0.0.1:1', '127.0.0.1:2']})
  expect(error).toMatchObject({
    code: 'COINPIPE_KAFKA_UNREACHABLE',
    message: expect.stringMatching(/127\.0\.0\.1:1, 127\.0\.0\.1:2 \(connect ECONNREFUSED/),
    remedy: [expect.stringContaining('--brokers'), expect.stringContaining('bus.tls'), expect.stringContaining('cluster up kafka')],
    exitCode: 4,
  })
})

it('waits for one that takes the connection and says nothing, but not for ever', async () => {
  const startMs = performance.now()
  expect(await failure({brokers: [await silentServer()]})).toMatchObject({code: 'COINPIPE_KAFKA_UNREACHABLE'})
  expect(performance.now() - startMs).toBeLessThan(2_000)
})

it('says that the brokers speak TLS', async () => {
  const error = await failure({brokers: [await silentServer({answer: TLS_ALERT})]})
  expect(error).toMatchObject({
    code: 'COINPIPE_KAFKA_TLS',
    message: expect.stringContaining('TLS'),
    remedy: [expect.stringContaining('bus.tls'), expect.anything()],
  })
})

it('takes a broker that hangs up before it has heard the password for one that is away', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const brokers = [`127.0.0.1:${(server.address() as AddressInfo).port}`]
  expect(await failure({brokers, sasl: SASL})).toMatchObject({code: 'COINPIPE_KAFKA_UNREACHABLE', retry: {kind: 'later'}})
})
