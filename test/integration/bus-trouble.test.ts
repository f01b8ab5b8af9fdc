import {execFileSync} from 'node:child_process'
import {mkdirSync, openSync, readFileSync, writeFileSync, writeSync} from 'node:fs'
import {join} from 'node:path'
import {monitorEventLoopDelay} from 'node:perf_hooks'
import {DatabaseSync} from 'node:sqlite'
import {describe, expect, it, onTestFinished} from 'vitest'
import {EmbeddedBus} from '../../src/lib/bus/embedded/embedded-bus.ts'
import type {CoinpipeError} from '../../src/lib/core/errors.ts'
import {testContext} from '../helpers/context.ts'
import {embeddedBus, records} from '../helpers/embedded-bus.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'

const TOPIC = 'trouble'
const canMount = process.platform === 'linux' && process.getuid?.() === 0

/** Rejects unless the error names the file and says what to do. */
async function failure(work: Promise<unknown>, path: string): Promise<CoinpipeError> {
  const error = await work.then(
    () => new Error('it worked'),
    (caught: unknown) => caught as CoinpipeError,
  )
  expect(error.message).toContain(path)
  expect((error as CoinpipeError).remedy.length).toBeGreaterThan(0)
  return error as CoinpipeError
}

async function openFailure(path: string): Promise<CoinpipeError> {
  const bus = new EmbeddedBus({path, busyTimeoutMs: 200}, testContext())
  onTestFinished(() => bus.close())
  return failure(bus.connect(), path)
}

describe('the embedded bus in trouble', () => {
  it('waits for a lock in its own thread, says who to look for, and goes on when it is free', async () => {
    const {bus, path} = await embeddedBus({busyTimeoutMs: 400})
    await bus.publish(records(TOPIC, 1))
    const lock = new DatabaseSync(path)
    lock.exec('BEGIN IMMEDIATE')
    const delay = monitorEventLoopDelay({resolution: 5})
    delay.enable()
    const error = await failure(bus.publish(records(TOPIC, 1, {first: 1})), path)
    delay.disable()
    expect(error).toMatchObject({code: 'COINPIPE_BUS_LOCKED', retry: {kind: 'later'}})
    expect(error.message).toContain('0.4 s')
    expect(delay.max / 1e6).toBeLessThan(200)
    expect(await bus.read({topic: TOPIC, partition: 0, offset: 0}, 10)).toHaveLength(1)
    lock.exec('ROLLBACK')
    lock.close()
    expect(await bus.publish(records(TOPIC, 1, {first: 2}))).toEqual([{topic: TOPIC, partition: 0, offset: 1}])
  })

  it('keeps a subscription and its acks going over an outage', async () => {
    const {bus, path, context} = await embeddedBus({busyTimeoutMs: 200})
    await bus.publish(records(TOPIC, 2))
    const subscription = bus.subscribe({group: 'g', topics: [TOPIC]}, context.signal)
    const deliveries = subscription[Symbol.asyncIterator]()
    const first = await deliveries.next()
    const lock = new DatabaseSync(path)
    lock.exec('BEGIN IMMEDIATE')
    await expect(first.value?.ack()).rejects.toMatchObject({code: 'COINPIPE_BUS_LOCKED'})
    lock.exec('ROLLBACK')
    lock.close()
    const again = await deliveries.next()
    expect(again.value?.items).toHaveLength(2)
    await again.value?.ack()
    expect((await bus.lag('g'))[0]).toMatchObject({committed: 2})
  })

  it('bounds what waits for the writer, and loses none of it', async () => {
    const maxQueueBytes = 100_000
    const {bus, path, context} = await embeddedBus({maxQueueBytes, busyTimeoutMs: 5000})
    await bus.publish(records(TOPIC, 1))
    const lock = new DatabaseSync(path)
    lock.exec('BEGIN IMMEDIATE')
    const publishes = Array.from({length: 50}, (_, round) => bus.publish(records(TOPIC, 100, {first: round * 100, bytes: 100})))
    const queued = Number(/coinpipe_component_queue_bytes\{[^}]*\} (\d+)/.exec(await context.metrics.text())?.[1])
    expect(queued).toBeGreaterThan(0)
    expect(queued).toBeLessThanOrEqual(maxQueueBytes)
    lock.exec('ROLLBACK')
    lock.close()
    await Promise.all(publishes)
    expect(await bus.read({topic: TOPIC, partition: 0, offset: 1}, 10_000)).toHaveLength(5000)
  })

  it('leaves a file alone that is no SQLite file, or one of another program', async () => {
    const folder = await tempDir()
    const text = join(folder, 'text.sqlite')
    writeFileSync(text, 'this is a diary, not a log\n'.repeat(100))
    expect((await openFailure(text)).code).toBe('COINPIPE_BUS_NOT_A_LOG')
    expect(readFileSync(text, 'utf8')).toContain('diary')
    const other = join(folder, 'other.sqlite')
    const db = new DatabaseSync(other)
    db.exec('CREATE TABLE diary (day TEXT)')
    db.close()
    expect((await openFailure(other)).code).toBe('COINPIPE_BUS_NOT_A_LOG')
  })

  it('refuses the log of a newer coinpipe', async () => {
    const {bus, path} = await embeddedBus()
    await bus.close()
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 99')
    db.close()
    const error = await openFailure(path)
    expect(error).toMatchObject({code: 'COINPIPE_BUS_VERSION', retry: {kind: 'never'}})
    expect(error.message).toContain('99')
  })

  it('says so where the folder cannot be made or the file not be written', async () => {
    const folder = await tempDir()
    writeFileSync(join(folder, 'file'), '')
    expect((await openFailure(join(folder, 'file', 'log.sqlite'))).code).toBe('COINPIPE_BUS_UNWRITABLE')
    mkdirSync(join(folder, 'log.sqlite'))
    expect((await openFailure(join(folder, 'log.sqlite'))).code).toBe('COINPIPE_BUS_UNWRITABLE')
  })

  it('names a damaged file, what is wrong with it, and how to go on', async () => {
    const {bus, path} = await embeddedBus()
    await bus.publish(records(TOPIC, 5000, {bytes: 500}))
    await bus.close()
    const file = openSync(path, 'r+')
    for (let page = 3; page < 200; page++) writeSync(file, Buffer.alloc(4000, 0xa5), 0, 4000, page * 8192)
    const damaged = new EmbeddedBus({path}, testContext())
    onTestFinished(() => damaged.close())
    const error = await failure(
      (async () => {
        await damaged.connect()
        await damaged.publish(records(TOPIC, 1))
      })(),
      path,
    )
    expect(error).toMatchObject({code: 'COINPIPE_BUS_CORRUPT', retry: {kind: 'never'}})
    expect(error.remedy.join()).toContain('mv ')
  })

  it.skipIf(!canMount)(
    'loses nothing that it acknowledged when the disk is full, and goes on when there is room (needs root on Linux)',
    async () => {
      const folder = await tempDir()
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder])
      onTestFinished(() => void execFileSync('umount', ['-l', folder]))
      const path = join(folder, 'log.sqlite')
      const {bus} = await embeddedBus({path})
      await bus.publish(records(TOPIC, 10))
      const ballast = join(folder, 'ballast')
      writeFileSync(ballast, Buffer.alloc(5_000_000))
      let acknowledged = 10
      const fill = async () => {
        for (;;) {
          await bus.publish(records(TOPIC, 100, {first: acknowledged, bytes: 1000}))
          acknowledged += 100
        }
      }
      const error = await failure(fill(), path)
      expect(error).toMatchObject({code: 'COINPIPE_BUS_DISK_FULL', retry: {kind: 'later'}})
      writeFileSync(ballast, '')
      await until('there is room again', () =>
        bus.publish(records(TOPIC, 1, {first: acknowledged})).then(
          () => true,
          () => false,
        ),
      )
      const messages = await bus.read({topic: TOPIC, partition: 0, offset: 0}, 100_000)
      expect(messages.map((message) => Number(String(message.value).replaceAll('.', '')))).toEqual(
        Array.from({length: acknowledged + 1}, (_, number) => number),
      )
    },
  )
})
