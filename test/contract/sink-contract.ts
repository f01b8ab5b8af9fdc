import {describe, expect, it} from 'vitest'
import {NotConnectedError} from '../../src/lib/core/errors.ts'
import type {Sink} from '../../src/lib/core/ports/sink.ts'
import type {Trade} from '../../src/lib/core/records.ts'
import {sinkItems, trade} from '../helpers/market-records.ts'

export interface SinkHarness {
  /** A new, unconnected sink on the same store each time it is called within one test. */
  create(): Sink
  /** The trades of `upbit:BTC-KRW` in the store, in any order. */
  storedTrades(): Promise<readonly Trade[]>
}

export interface SinkTraits {
  /** Whether the sink keeps offsets beside its rows. */
  readonly keepsPositions: boolean
  /** Whether it tells rows that are new from those that were written before; default true. */
  readonly knowsWritten?: boolean
}

type Connect = () => Promise<{sink: Sink; harness: SinkHarness}>

const PARTITION = {topic: 'market.trade', partition: 0}
const next = (offset: number) => [{...PARTITION, offset}]
const GOOD = [trade('1'), trade('2'), trade('3')]

/** What every sink promises to the runner. `open` makes a fresh, empty store. */
export function sinkContract(name: string, traits: SinkTraits, open: () => Promise<SinkHarness>): void {
  const knowsWritten = traits.knowsWritten ?? true

  async function connected(): Promise<{sink: Sink; harness: SinkHarness}> {
    const harness = await open()
    const sink = harness.create()
    await sink.connect()
    return {sink, harness}
  }

  describe(`${name} as a Sink`, () => {
    it('refuses to work before connect and after close, and closes twice', async () => {
      const {create} = await open()
      const sink = create()
      const batch = {group: 'g', items: sinkItems(GOOD), next: next(3)}
      await expect(sink.write(batch)).rejects.toBeInstanceOf(NotConnectedError)
      await sink.connect()
      await sink.check()
      await sink.close()
      await sink.close()
      await expect(sink.check()).rejects.toBeInstanceOf(NotConnectedError)
    })

    it('has written what it says it has, and keeps it when opened again', async () => {
      const {sink, harness} = await connected()
      expect(await sink.write({group: 'g', items: sinkItems(GOOD), next: next(3)})).toEqual({refused: [], written: 3})
      await sink.close()
      const again = harness.create()
      await again.connect()
      expect(ids(await harness.storedTrades())).toEqual(['1', '2', '3'])
      await again.close()
    })

    it('takes the same batch twice without writing anything twice', async () => {
      const {sink, harness} = await connected()
      const batch = {group: 'g', items: sinkItems(GOOD), next: next(3)}
      await sink.write(batch)
      expect((await sink.write(batch)).written).toBe(knowsWritten ? 0 : 3)
      expect(ids(await harness.storedTrades())).toEqual(['1', '2', '3'])
      await sink.close()
    })

    it('counts a record that comes twice in one batch once', async () => {
      const {sink, harness} = await connected()
      const items = sinkItems([trade('1'), trade('2'), trade('1', {receivedTime: 9})])
      expect((await sink.write({group: 'g', items, next: next(3)})).written).toBe(knowsWritten ? 2 : 3)
      expect(ids(await harness.storedTrades())).toEqual(['1', '2'])
      await sink.close()
    })

    it('keeps markets that share a trade id apart', async () => {
      const {sink} = await connected()
      const items = sinkItems([trade('1'), trade('1', {symbol: 'ETH-KRW'}), trade('1', {exchange: 'bithumb'})])
      expect((await sink.write({group: 'g', items, next: next(3)})).written).toBe(3)
      await sink.close()
    })

    it('refuses a bad record by name and writes the rest when asked again without it', async () => {
      const {sink, harness} = await connected()
      const items = sinkItems([trade('1'), trade('2', {price: 'NaN'}), trade('3')])
      const {refused, written} = await sink.write({group: 'g', items, next: next(3)})
      expect(refused.map(({index}) => index)).toEqual([1])
      expect(refused[0]?.code).toMatch(/^COINPIPE_/)
      expect(refused[0]?.message).toContain('NaN')
      expect(written).toBe(0)
      const rest = items.filter((_, index) => index !== 1)
      expect((await sink.write({group: 'g', items: rest, next: next(3)})).refused).toEqual([])
      expect(ids(await harness.storedTrades())).toEqual(['1', '3'])
      await sink.close()
    })

    it('takes an empty batch', async () => {
      const {sink} = await connected()
      expect(await sink.write({group: 'g', items: [], next: []})).toEqual({refused: [], written: 0})
      await sink.close()
    })

    if (traits.keepsPositions) positionsContract(connected)
    else noPositionsContract(connected)
  })
}

function positionsContract(connected: Connect): void {
  it('moves positions with the rows, poison included, and never back', async () => {
    const {sink} = await connected()
    const at = async (group = 'g') => (await sink.positions(group, [PARTITION])).map(({offset}) => offset)
    expect(await at()).toEqual([])
    await sink.write({group: 'g', items: sinkItems(GOOD), next: next(3)})
    await sink.write({group: 'g', items: [], next: next(5)})
    expect(await at()).toEqual([5])
    await sink.write({group: 'g', items: sinkItems(GOOD), next: next(3)})
    expect(await at()).toEqual([5])
    expect(await at('another group')).toEqual([])
    await sink.close()
  })

  it('leaves positions where they were when it refuses', async () => {
    const {sink} = await connected()
    await sink.write({group: 'g', items: sinkItems([trade('1', {size: '-1'})]), next: next(1)})
    expect(await sink.positions('g', [PARTITION])).toEqual([])
    await sink.close()
  })
}

function noPositionsContract(connected: Connect): void {
  it('keeps no positions', async () => {
    const {sink} = await connected()
    await sink.write({group: 'g', items: sinkItems(GOOD), next: next(3)})
    expect(await sink.positions('g', [PARTITION])).toEqual([])
    await sink.close()
  })
}

function ids(trades: readonly Trade[]): string[] {
  return trades.map(({tradeId}) => tradeId).sort()
}
