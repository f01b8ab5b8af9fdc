import {rename, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import type {Worker} from 'node:worker_threads'
import {expect, it, vi} from 'vitest'
import {StoreIoError, StoreWriterError} from '../../src/lib/store/embedded/errors.ts'
import {createEmbeddedStore} from '../../src/lib/store/embedded/sink.ts'
import {testContext} from '../helpers/context.ts'
import {sinkItems, trade} from '../helpers/market-records.ts'
import {tempDir} from '../helpers/temp-dir.ts'

/** Real threads; they are only noted down, so that the test can end one. */
const threads = vi.hoisted((): Worker[] => [])
vi.mock('node:worker_threads', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:worker_threads')>()
  class NotedWorker extends original.Worker {
    constructor(...args: ConstructorParameters<typeof original.Worker>) {
      super(...args)
      threads.push(this)
    }
  }
  return {...original, Worker: NotedWorker}
})

it('reports a writer thread that died, and starts another one for the next try', async () => {
  const path = join(await tempDir(), 'store.sqlite')
  const sink = createEmbeddedStore({path}, testContext())
  await sink.connect()
  const items = sinkItems(Array.from({length: 5000}, (_, i) => trade(String(i))))
  const batch = {group: 'g', items, next: [{topic: 'market.trade', partition: 0, offset: 5000}]}
  const interrupted = sink.write(batch)
  void threads[0]?.terminate()
  const error = await interrupted.catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(StoreWriterError)
  expect(error).toMatchObject({retry: {kind: 'later'}})
  expect(await sink.write(batch)).toEqual({refused: [], written: 5000})
  expect(await sink.positions('g', [{topic: 'market.trade', partition: 0}])).toEqual(batch.next)
  expect(threads).toHaveLength(2)
  await sink.close()
})

it('tries again each time it is asked, as long as the store cannot be opened again', async () => {
  const folder = join(await tempDir(), 'store')
  const sink = createEmbeddedStore({path: join(folder, 'store.sqlite')}, testContext())
  await sink.connect()
  await threads.at(-1)?.terminate()
  await rename(folder, `${folder}.away`)
  await writeFile(folder, 'in the way')
  await expect(sink.check()).rejects.toBeInstanceOf(StoreIoError)
  await rm(folder)
  await sink.check()
  await sink.close()
})
