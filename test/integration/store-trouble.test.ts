import {execFileSync} from 'node:child_process'
import {chmod, mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import {describe, expect, it, onTestFinished} from 'vitest'
import type {Sink} from '../../src/lib/core/ports/sink.ts'
import {
  StoreCorruptError,
  StoreDiskFullError,
  StoreIoError,
  StoreLockedError,
  StoreMissingError,
  StoreSchemaError,
} from '../../src/lib/store/embedded/errors.ts'
import {openMarketReader} from '../../src/lib/store/embedded/reader.ts'
import {createEmbeddedStore, type EmbeddedStoreOptions} from '../../src/lib/store/embedded/sink.ts'
import {testContext} from '../helpers/context.ts'
import {sinkItems, T0, trade} from '../helpers/market-records.ts'
import {tempDir} from '../helpers/temp-dir.ts'

const ROOT = process.getuid?.() === 0

async function storePath(): Promise<string> {
  return join(await tempDir(), 'store.sqlite')
}

function sinkAt(path: string, options: Partial<EmbeddedStoreOptions> = {}): Sink {
  const sink = createEmbeddedStore({path, ...options}, testContext())
  onTestFinished(() => sink.close())
  return sink
}

async function makeStore(path: string): Promise<void> {
  const sink = sinkAt(path)
  await sink.connect()
  await sink.close()
}

const batchOf = (ids: readonly string[]) => ({group: 'g', items: sinkItems(ids.map((id) => trade(id))), next: []})

describe('the embedded store in trouble', () => {
  it('says that another process holds the lock, keeps the main thread free, and goes on afterwards', async () => {
    const path = await storePath()
    const sink = sinkAt(path, {busyTimeoutMs: 300})
    await sink.connect()
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const refused = sink.write(batchOf(['1']))
    let ticks = 0
    const ticking = setInterval(() => ticks++, 10)
    await expect(refused).rejects.toBeInstanceOf(StoreLockedError)
    clearInterval(ticking)
    expect(ticks).toBeGreaterThan(5)
    await expect(sink.check()).rejects.toMatchObject({code: 'COINPIPE_STORE_LOCKED', retry: {kind: 'later'}})
    other.exec('ROLLBACK')
    other.close()
    expect((await sink.write(batchOf(['1']))).written).toBe(1)
  })

  it.each([
    ['a text file', 'this is no database, and long enough to be told apart from an empty one\n'.repeat(20)],
    ['a damaged header', Buffer.from(`SQLite format 3\0${'\xff'.repeat(200)}`, 'latin1')],
  ])('refuses %s', async (_name, content) => {
    const path = await storePath()
    await writeFile(path, content)
    await expect(sinkAt(path).connect()).rejects.toBeInstanceOf(StoreCorruptError)
    await expect(openMarketReader({path}, testContext()).connect()).rejects.toBeInstanceOf(StoreCorruptError)
  })

  it('refuses the database of another program, and leaves it as it is', async () => {
    const path = await storePath()
    const other = new DatabaseSync(path)
    other.exec('CREATE TABLE precious (x)')
    await expect(sinkAt(path).connect()).rejects.toThrow(/another program/)
    await expect(openMarketReader({path}, testContext()).connect()).rejects.toThrow(/another program/)
    expect(other.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{name: 'precious'}])
    other.close()
  })

  it('refuses a store of a newer version', async () => {
    const path = await storePath()
    await makeStore(path)
    const database = new DatabaseSync(path)
    database.exec('PRAGMA user_version = 99')
    database.close()
    await expect(sinkAt(path).connect()).rejects.toMatchObject({code: 'COINPIPE_STORE_SCHEMA', found: 99})
    await expect(openMarketReader({path}, testContext()).connect()).rejects.toBeInstanceOf(StoreSchemaError)
  })

  it('says where it looked for a store that is not there, and what to type', async () => {
    const path = await storePath()
    const error = await openMarketReader({path}, testContext())
      .connect()
      .catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(StoreMissingError)
    expect(error).toMatchObject({message: expect.stringContaining(path), remedy: expect.arrayContaining(['coinpipe up'])})
  })

  it('reports damage that shows only while it works', async () => {
    const path = await storePath()
    const sink = sinkAt(path)
    await sink.connect()
    await sink.write(batchOf(Array.from({length: 2000}, (_, i) => String(i))))
    await sink.close()
    const database = new DatabaseSync(path)
    const {rootpage} = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'trades_by_id'").get() as {rootpage: number}
    database.close()
    execFileSync('dd', ['if=/dev/urandom', `of=${path}`, 'bs=4096', `seek=${rootpage - 1}`, 'count=1', 'conv=notrunc', 'status=none'])
    const again = sinkAt(path)
    await again.connect()
    await expect(again.write(batchOf(['new']))).rejects.toBeInstanceOf(StoreCorruptError)
  })

  it.skipIf(ROOT)('says that it may not write there (as root everything may be written)', async () => {
    const folder = await tempDir()
    await chmod(folder, 0o500)
    await expect(sinkAt(join(folder, 'store.sqlite')).connect()).rejects.toBeInstanceOf(StoreIoError)
  })

  it('says that its folder cannot be made', async () => {
    const file = join(await tempDir(), 'file')
    await writeFile(file, '')
    await expect(sinkAt(join(file, 'store.sqlite')).connect()).rejects.toBeInstanceOf(StoreIoError)
  })

  it('says that the path is a folder', async () => {
    const path = await storePath()
    await mkdir(path)
    await expect(sinkAt(path).connect()).rejects.toBeInstanceOf(StoreIoError)
  })

  it.skipIf(!ROOT || process.platform !== 'linux')('survives a full disk (needs root on Linux for a small file system)', async () => {
    const folder = await tempDir()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder])
    onTestFinished(() => {
      execFileSync('umount', ['--lazy', folder])
    })
    const path = join(folder, 'store.sqlite')
    const sink = sinkAt(path)
    await sink.connect()
    const ballast = join(folder, 'ballast')
    await writeFile(ballast, Buffer.alloc(800 * 1024))
    const batch = batchOf(Array.from({length: 20_000}, (_, i) => String(i)))
    await expect(sink.write(batch)).rejects.toBeInstanceOf(StoreDiskFullError)
    expect((await sink.write(batchOf(['small']))).written).toBe(1)
    execFileSync('mount', ['-o', 'remount,size=64m', folder])
    expect((await sink.write(batch)).written).toBe(20_000)
    await sink.close()
  })
})

describe('records that the store cannot hold', () => {
  it.each([
    ['a negative price', trade('1', {price: '-1'}), /price/],
    ['too many decimals', trade('1', {size: '0.0000000000000000001'}), /size/],
    ['a time that is no integer', trade('1', {eventTime: T0 + 0.5}), /eventTime/],
    ['an id of something else', trade('1', {id: 'trade:upbit:BTC-KRW:2'}), /trade id/],
    ['a side that is none', trade('1', {side: 'both' as 'buy'}), /side/],
  ])('refuses %s', async (_name, record, message) => {
    const sink = sinkAt(await storePath())
    await sink.connect()
    const {refused, written} = await sink.write({group: 'g', items: sinkItems([record]), next: []})
    expect(refused).toMatchObject([{index: 0, code: 'COINPIPE_STORE_RECORD', message: expect.stringMatching(message)}])
    expect(written).toBe(0)
  })
})
