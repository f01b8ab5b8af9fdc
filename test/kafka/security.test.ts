import {copyFile, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import type {KafkaOptions, KafkaSasl} from '../../src/lib/bus/kafka/options.ts'
import {loadConfig} from '../../src/lib/config/load.ts'
import type {Bus} from '../../src/lib/core/ports/bus.ts'
import {withBus} from '../../src/lib/pipeline/bus.ts'
import {unique} from '../contract/bus-world.ts'
import {testContext} from '../helpers/context.ts'
import {kafkaUnderTest} from '../helpers/kafka.ts'
import {busWith, connectedWith, consume, DRIVER_NAMES, failureOf} from '../helpers/kafka-drivers.ts'
import {passage} from '../helpers/passage.ts'
import {tempDir} from '../helpers/temp-dir.ts'

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const
/** Kafka answers a wrong password 100 ms later than it could. */
const SOON_MS = 3_000
const {brokers, own} = kafkaUnderTest()
const security = own?.security ?? {user: '', password: '', sasl: [], tls: [], certificate: ''}

function sasl(mechanism: KafkaSasl['mechanism'], changes: Partial<KafkaSasl> = {}): Partial<KafkaOptions> {
  return {brokers: security.sasl, sasl: {mechanism, username: security.user, password: security.password, ...changes}}
}

async function tls(): Promise<{readonly ca: string}> {
  return {ca: await readFile(security.certificate, 'utf8')}
}

async function publishAndConsume(bus: Bus): Promise<void> {
  const topic = unique('security')
  await bus.publish([{topic, key: 'k', value: 'v'}])
  expect(await consume(bus, topic, 1)).toMatchObject([{topic, key: 'k', value: 'v'}])
}

// A cluster that the tests did not start has no such listeners that they know of.
describe.skipIf(own === null).each(DRIVER_NAMES)('with passwords and encryption, through %s', (driver) => {
  const refusal = async (changes: Partial<KafkaOptions>) => {
    const {error, elapsedMs} = await failureOf(() => busWith(driver, changes).connect())
    expect(elapsedMs).toBeLessThan(SOON_MS)
    expect(error.exitCode).toBe(4)
    expect(error.remedy.length).toBeGreaterThan(0)
    return error
  }

  it.each(MECHANISMS)('publishes and consumes as a user that gives its password by %s', async (mechanism) => {
    await publishAndConsume(await connectedWith(driver, sasl(mechanism)))
  })

  it('publishes and consumes by TLS', async () => {
    await publishAndConsume(await connectedWith(driver, {brokers: security.tls, tls: await tls()}))
  })

  it('takes brokers by each name in their certificate, and by no other', async () => {
    const {port} = await passage(String(security.tls[0]))
    await publishAndConsume(await connectedWith(driver, {brokers: [`localhost:${port}`], tls: await tls()}))
    const byAddress = await refusal({brokers: [`127.0.0.1:${port}`], tls: await tls()})
    expect(byAddress).toMatchObject({code: 'COINPIPE_KAFKA_TLS', message: expect.stringContaining('127.0.0.1')})
  })

  it.each(MECHANISMS)('says at once that a password or a user is wrong, by %s', async (mechanism) => {
    const wrong = {code: 'COINPIPE_KAFKA_AUTH', retry: {kind: 'never'}, message: expect.stringContaining('user name or password')}
    expect(await refusal(sasl(mechanism, {password: 'wrong'}))).toMatchObject(wrong)
    expect(await refusal(sasl(mechanism, {username: 'nobody'}))).toMatchObject(wrong)
  })

  it('says so where the brokers ask for no password', async () => {
    const error = await refusal({...sasl('plain'), brokers})
    expect(error).toMatchObject({code: 'COINPIPE_KAFKA_AUTH', message: expect.stringContaining('no user name')})
  })

  it('says that nobody vouches for the certificate of the brokers', async () => {
    const ca = await readFile(new URL('../fixtures/tls/cert.pem', import.meta.url), 'utf8')
    const untrusted = {
      code: 'COINPIPE_KAFKA_TLS',
      retry: {kind: 'never'},
      message: expect.stringContaining('self-signed'),
      remedy: expect.arrayContaining([expect.stringContaining('bus.tls.ca')]),
    }
    expect(await refusal({brokers: security.tls, tls: {ca}})).toMatchObject(untrusted)
    expect(await refusal({brokers: security.tls, tls: {}})).toMatchObject(untrusted)
  })

  it('says that the brokers speak TLS only', async () => {
    const error = await refusal({brokers: security.tls})
    expect(error).toMatchObject({code: 'COINPIPE_KAFKA_TLS', message: expect.stringContaining('speak TLS only')})
  })

  it('names what to look at where the brokers hang up: they speak no TLS, or want a password', async () => {
    const hint = {code: 'COINPIPE_KAFKA_UNREACHABLE', remedy: expect.arrayContaining([expect.stringContaining('bus.tls and bus.sasl')])}
    expect(await refusal({brokers, tls: await tls()})).toMatchObject(hint)
    expect(await refusal({brokers: security.sasl})).toMatchObject(hint)
  })

  it('takes user, password and certificate from the config', async () => {
    const folder = await tempDir()
    const path = join(folder, 'coinpipe.yaml')
    await copyFile(security.certificate, join(folder, 'ca.pem'))
    const byPassword = `sasl: {mechanism: scram-sha-512, username: ${security.user}, password: "\${KAFKA_PASSWORD}"}`
    for (const [addresses, access] of [
      [security.sasl, byPassword],
      [security.tls, 'tls: {ca: "file:ca.pem"}'],
    ] as const) {
      await writeFile(path, `version: 1\nbus: {kind: kafka, client: ${driver}, brokers: ${JSON.stringify(addresses)}, ${access}}\n`)
      const {config} = await loadConfig({path, env: {KAFKA_PASSWORD: security.password}, defaultDataDir: folder})
      await withBus(config, testContext(), publishAndConsume)
    }
  })
})

describe('passwords and encryption in the config', () => {
  const load = async (bus: string) => {
    const folder = await tempDir()
    const path = join(folder, 'coinpipe.yaml')
    await writeFile(path, `version: 1\nbus: {kind: kafka, brokers: ["127.0.0.1:1"], ${bus}}\n`)
    return await loadConfig({path, env: {}, defaultDataDir: folder})
  }

  it('refuses a mechanism that it does not know', async () => {
    const {error} = await failureOf(() => load('sasl: {mechanism: gssapi, username: me, password: secret}'))
    expect(error).toMatchObject({
      code: 'COINPIPE_CONFIG_INVALID',
      exitCode: 2,
      message: expect.stringMatching(/bus\.sasl\.mechanism.*gssapi.*scram-sha-512/),
    })
  })

  it('refuses certificates and keys that are none before it connects', async () => {
    for (const [setting, text] of [
      ['bus.tls.ca', 'ca: nonsense'],
      ['bus.tls.cert', 'cert: nonsense'],
      ['bus.tls.key', 'key: nonsense'],
    ] as const) {
      const {config} = await load(`tls: {${text}}`)
      const {error} = await failureOf(() => withBus(config, testContext(), async () => undefined))
      expect(error).toMatchObject({code: 'COINPIPE_INVALID_INPUT', exitCode: 2, message: expect.stringContaining(setting)})
      expect(error.remedy.join()).toContain('file:PATH')
    }
  })
})
