import type {Worker} from 'node:worker_threads'
import {expect, it, vi} from 'vitest'
import {embeddedBus, records} from '../helpers/embedded-bus.ts'

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

it('reports a writer thread that ended, and starts another one for the next request', async () => {
  const {bus} = await embeddedBus()
  const topic = 'death'
  await bus.publish(records(topic, 1))
  const interrupted = bus.publish(records(topic, 5000, {first: 1}))
  void threads[0]?.terminate()
  await expect(interrupted).rejects.toMatchObject({code: 'COINPIPE_BUS_WRITER_LOST', retry: {kind: 'later'}})
  const [placed] = await bus.publish(records(topic, 1, {first: 5001}))
  const messages = await bus.read({topic, partition: 0, offset: 0}, 10_000)
  expect(messages.at(-1)).toMatchObject({offset: placed?.offset, value: '5001'})
  expect([2, 5002]).toContain(messages.length)
  expect(threads).toHaveLength(2)
})
