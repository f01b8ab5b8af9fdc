import {expect, it, onTestFinished} from 'vitest'
import {KafkaAdmin} from '../../src/lib/bus/kafka/admin/kafka-admin.ts'
import {KAFKA_DEFAULTS, type KafkaOptions} from '../../src/lib/bus/kafka/options.ts'
import {testContext} from '../helpers/context.ts'
import {silentServer} from '../helpers/silent-server.ts'

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
    message: expect.stringContaining('127.0.0.1:1, 127.0.0.1:2'),
    remedy: [expect.stringContaining('--brokers'), expect.stringContaining('cluster up kafka')],
    exitCode: 4,
  })
})

it('waits for one that takes the connection and says nothing, but not for ever', async () => {
  const startMs = performance.now()
  expect(await failure({brokers: [await silentServer()]})).toMatchObject({code: 'COINPIPE_KAFKA_UNREACHABLE'})
  expect(performance.now() - startMs).toBeLessThan(2_000)
})

it('says that the brokers speak TLS', async () => {
  // A fatal alert, protocol version: https://www.rfc-editor.org/rfc/rfc8446#section-6
  const alert = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46])
  const error = await failure({brokers: [await silentServer({answer: alert})]})
  expect(error).toMatchObject({
    code: 'COINPIPE_KAFKA_AUTH',
    message: expect.stringContaining('TLS'),
    remedy: [expect.stringContaining('bus.tls'), expect.anything()],
  })
})
