import {describe, expect, it, onTestFinished} from 'vitest'
import {CoinpipeError, NotConnectedError} from '../../src/lib/core/errors.ts'
import type {Delivery} from '../../src/lib/core/ports/component.ts'
import type {Source, SourceItem} from '../../src/lib/core/ports/source.ts'

/** A source with something outside that it reads from. */
export interface SourceHarness {
  readonly source: Source
  /** The outside sends items numbered `from` to `to`. */
  produce(from: number, to: number): void
  /** The number that an item was produced with. */
  numberOf(item: SourceItem): number
}

export interface SourceContract {
  readonly name: string
  /** A source that is not connected yet, its outside ready. */
  readonly make: () => Promise<SourceHarness>
  /** A source whose outside is not there. */
  readonly makeUnreachable: () => Source
  /** More items than the source holds unacked. */
  readonly many: number
}

/** What every Source must do (core/ports/source.ts and component.ts). */
export function sourceContract({name, make, makeUnreachable, many}: SourceContract): void {
  async function start() {
    const harness = await make()
    onTestFinished(() => harness.source.close())
    await harness.source.connect()
    const stop = new AbortController()
    const iterator = harness.source.deliveries(stop.signal)[Symbol.asyncIterator]()
    const next = async (): Promise<Delivery<SourceItem>> => {
      const {value, done} = await iterator.next()
      if (done) throw new Error('the deliveries ended')
      return value
    }
    const numbers = (delivery: Delivery<SourceItem>) => delivery.items.map((item) => harness.numberOf(item))
    /** Takes and acks deliveries until `count` items came. */
    const take = async (count: number): Promise<number[]> => {
      const taken: number[] = []
      while (taken.length < count) {
        const delivery = await next()
        taken.push(...numbers(delivery))
        await delivery.ack()
      }
      return taken
    }
    return {...harness, stop, iterator, next, numbers, take}
  }

  const range = (from: number, to: number) => Array.from({length: to - from + 1}, (_, index) => from + index)

  describe(`source contract: ${name}`, () => {
    it('delivers everything, once and in order', async () => {
      const {produce, take} = await start()
      produce(1, 2500)
      expect(await take(2500)).toEqual(range(1, 2500))
    })

    it('delivers again what is acked with an error, before anything newer', async () => {
      const {produce, next, numbers, take} = await start()
      produce(1, 50)
      const first = await next()
      await first.ack(new NotConnectedError('the bus is away'))
      produce(51, 100)
      const again = await next()
      expect(numbers(again).slice(0, first.items.length)).toEqual(numbers(first))
      await again.ack()
      const rest = await take(100 - again.items.length)
      expect([...numbers(again), ...rest]).toEqual(range(1, 100))
    })

    it('hands out the next delivery while one still waits for its ack', async () => {
      const {produce, next, numbers} = await start()
      produce(1, 10)
      const first = await next()
      produce(11, 20)
      const second = await next()
      expect(numbers(second)[0]).toBe(first.items.length + 1)
      await first.ack()
      await second.ack()
    })

    it('loses nothing when nothing is acked for a while and the outside sends more than it holds', async () => {
      const {produce, next, numbers, take} = await start()
      produce(1, many)
      const first = await next()
      await first.ack()
      const rest = await take(many - first.items.length)
      expect([...numbers(first), ...rest]).toEqual(range(1, many))
    })

    it('ends when it is stopped while it waits, after what it had received', async () => {
      const {produce, stop, take, iterator} = await start()
      produce(1, 5)
      expect(await take(5)).toEqual(range(1, 5))
      const waiting = iterator.next()
      stop.abort()
      expect((await waiting).done).toBe(true)
    })

    it('ends when it is closed, and closes twice without harm', async () => {
      const {source, iterator} = await start()
      const waiting = iterator.next()
      await source.close()
      await source.close()
      expect((await waiting).done).toBe(true)
    })

    it('checks out while its outside is there', async () => {
      const {source} = await start()
      await expect(source.check()).resolves.toBeUndefined()
    })

    it('says what it cannot reach, and what to do', async () => {
      const source = makeUnreachable()
      onTestFinished(() => source.close())
      for (const attempt of [() => source.connect(), () => source.check()]) {
        const error: unknown = await attempt().then(
          () => undefined,
          (reason: unknown) => reason,
        )
        expect(error).toBeInstanceOf(CoinpipeError)
        expect((error as CoinpipeError).remedy.length).toBeGreaterThan(0)
      }
    })
  })
}
