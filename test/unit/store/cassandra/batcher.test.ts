import {describe, expect, it} from 'vitest'
import type {CoinRecord} from '../../../../src/lib/core/records.ts'
import {type BatchSettings, RowBatcher} from '../../../../src/lib/store/cassandra/batcher.ts'
import {CassandraBusyError, CassandraRequestError, CassandraSchemaError} from '../../../../src/lib/store/cassandra/errors.ts'
import type {Row} from '../../../../src/lib/store/cassandra/row.ts'
import {testContext} from '../../../helpers/context.ts'
import {rowEncoder, valuesOf} from '../../../helpers/encoded-rows.ts'
import {ManualClock, settled} from '../../../helpers/manual-clock.ts'
import {T0, ticker, trade} from '../../../helpers/market-records.ts'

const SETTINGS: BatchSettings = {rows: 10, bytes: 100_000, lingerMs: 20, limit: {min: 2, max: 8, start: 4, targetMs: 50}}

interface Sent {
  readonly rows: readonly Row[]
  readonly ids: readonly string[]
  readonly answer: () => void
  readonly refuse: (error: unknown) => void
}

interface SceneOptions extends Partial<BatchSettings> {
  readonly maxBytes?: number
  readonly deadlineMs?: number
}

/** A batcher whose requests are answered by the test, one by one. */
function scene({maxBytes = 1e6, deadlineMs = 30_000, ...settings}: SceneOptions = {}) {
  const clock = new ManualClock()
  const context = {...testContext(), clock, random: () => 1}
  const encoder = rowEncoder()
  const sent: Sent[] = []
  const send = (rows: readonly Row[]) =>
    new Promise<void>((answer, refuse) => {
      sent.push({rows, answer, refuse, ids: rows.map((row) => idOf(row))})
    })
  const isRowsFault = (error: unknown): error is CassandraRequestError => error instanceof CassandraRequestError
  const batcher = new RowBatcher({...SETTINGS, ...settings}, {maxBytes, deadlineMs, component: 'test', send, isRowsFault}, context)
  const rowsOf = (records: readonly CoinRecord[]) =>
    records.map((record, index) => {
      const row = encoder.encode(record)
      row.index = index
      return row
    })
  const write = (records: readonly CoinRecord[]) => {
    const state = {done: false, refused: [] as readonly number[], error: undefined as unknown}
    batcher.write(rowsOf(records)).then(
      (refused) => {
        state.done = true
        state.refused = refused.map(({index}) => index)
      },
      (error: unknown) => {
        state.error = error
      },
    )
    return state
  }
  const answerAll = async () => {
    for (const {answer} of sent.splice(0)) answer()
    await settled()
  }
  return {clock, context, batcher, sent, write, rowsOf, answerAll}
}

function idOf(row: Row): string {
  return String(valuesOf(row).id)
}

function trades(count: number, symbol: string, from = 0) {
  return Array.from({length: count}, (_, i) => trade(`${symbol}${from + i}`, {symbol}))
}

describe('batches of rows', () => {
  it('go out when they are full, and else when their first row has lingered', async () => {
    const {clock, sent, write} = scene()
    const state = write([...trades(10, 'A'), ...trades(3, 'B')])
    expect(sent.map(({ids}) => ids.length)).toEqual([10])
    await clock.advance(15)
    write(trades(2, 'B', 3))
    await clock.advance(4)
    expect(sent).toHaveLength(1)
    await clock.advance(6)
    expect(sent[1]?.ids).toEqual(['B0', 'B1', 'B2', 'B3', 'B4'])
    sent[0]?.answer()
    await settled()
    expect(state.done).toBe(false)
    sent[1]?.answer()
    await settled()
    expect(state.done).toBe(true)
  })

  it('go out at once without linger', () => {
    const {sent, write} = scene({lingerMs: 0})
    write(trades(1, 'A'))
    expect(sent).toHaveLength(1)
  })

  it('hold rows of one partition only, and no more bytes than allowed', async () => {
    const {clock, sent, write} = scene({bytes: 500, limit: {min: 8, max: 8, start: 8, targetMs: 50}})
    write([...trades(6, 'A'), ...trades(1, 'B')])
    await clock.advance(25)
    for (const {rows} of sent) {
      expect(new Set(rows.map(({partition}) => partition)).size).toBe(1)
      expect(rows.reduce((sum, {bytes}) => sum + bytes, 0)).toBeLessThanOrEqual(500)
    }
    expect(sent.flatMap(({ids}) => ids)).toHaveLength(7)
  })

  it('of a busy partition let the others have their turn', async () => {
    const {clock, sent, write, answerAll} = scene({limit: {min: 1, max: 1, start: 1, targetMs: 50}})
    write(trades(100, 'A'))
    write(trades(1, 'B'))
    write(trades(1, 'C'))
    await clock.advance(25)
    const order: string[] = []
    for (let i = 0; i < 5; i++) {
      order.push(sent[0]?.ids[0]?.slice(0, 1) ?? '')
      await answerAll()
    }
    expect(order.slice(0, 4).sort()).toEqual(['A', 'A', 'B', 'C'])
  })

  it('never exceed the requests allowed at once', async () => {
    const {clock, sent, write} = scene()
    write(trades(200, 'A'))
    await clock.advance(100)
    expect(sent).toHaveLength(4)
  })

  it('hold the newest of the states that wait for one row, and settle the others with it', async () => {
    const {clock, sent, write, answerAll} = scene()
    const first = write([ticker(T0 + 1), ticker(T0 + 3)])
    const second = write([ticker(T0 + 2)])
    await clock.advance(25)
    expect(sent.map(({ids}) => ids)).toEqual([[String(T0 + 3)]])
    await answerAll()
    expect([first.done, second.done]).toEqual([true, true])
  })

  it('that fail are sent again, later each time, with what came meanwhile', async () => {
    const {clock, sent, write, answerAll, batcher, context} = scene({lingerMs: 0})
    const state = write(trades(2, 'A'))
    sent.splice(0)[0]?.refuse(new CassandraBusyError('slow'))
    await settled()
    expect(batcher.trouble).toBeInstanceOf(CassandraBusyError)
    write(trades(1, 'A', 2))
    await clock.advance(90)
    expect(sent).toHaveLength(0)
    await clock.advance(20)
    expect(sent[0]?.ids).toEqual(['A0', 'A1', 'A2'])
    sent.splice(0)[0]?.refuse(new CassandraBusyError('slow'))
    await clock.advance(150)
    expect(sent).toHaveLength(0)
    await clock.advance(60)
    await answerAll()
    expect(state.done).toBe(true)
    expect(batcher.trouble).toBeUndefined()
    expect(context.metrics.total('coinpipe_retries_total')).toBe(2)
  })

  it('that fail until the deadline fail the write, which may be retried, and are forgotten', async () => {
    const {clock, sent, write, batcher} = scene({lingerMs: 0, deadlineMs: 1000})
    const state = write(trades(2, 'A'))
    for (let i = 0; i < 40 && state.error === undefined; i++) {
      for (const {refuse} of sent.splice(0)) refuse(new CassandraBusyError('away'))
      await clock.advance(100)
    }
    expect(state.error).toBeInstanceOf(CassandraBusyError)
    expect(clock.monotonicMs()).toBeLessThan(3000)
    for (const {refuse} of sent.splice(0)) refuse(new CassandraBusyError('away'))
    await clock.advance(10_000)
    expect(sent).toHaveLength(0)
    expect(batcher.bytes).toBe(0)
  })

  it('hold as many states of one row as come, the older ones last, and forget them all', async () => {
    const {clock, batcher, sent, write} = scene({maxBytes: 1e9, deadlineMs: 1000})
    const state = write(Array.from({length: 40_000}, (_, i) => ticker(T0 + 40_000 - i)))
    while (batcher.bytes > 0) {
      await clock.advance(500)
      for (const {refuse} of sent.splice(0)) refuse(new CassandraBusyError('busy'))
      await settled()
    }
    expect(state.error).toBeInstanceOf(CassandraBusyError)
  })

  it('of one partition that fail together are one failure', async () => {
    const {clock, sent, write} = scene({limit: {min: 2, max: 8, start: 8, targetMs: 50}})
    write(trades(80, 'A'))
    expect(sent).toHaveLength(8)
    for (const {refuse} of sent.splice(0)) refuse(new CassandraBusyError('busy'))
    await settled()
    await clock.advance(150)
    expect(sent).not.toHaveLength(0)
  })

  it('that are not answered at all fail the write at the deadline', async () => {
    const {clock, write} = scene({deadlineMs: 1000})
    const state = write(trades(2, 'A'))
    await clock.advance(1100)
    expect(state.error).toMatchObject({code: 'COINPIPE_DEADLINE'})
  })

  it('that merely wait behind others do not reach the deadline', async () => {
    const {clock, sent, write, answerAll} = scene({deadlineMs: 1000, limit: {min: 1, max: 1, start: 1, targetMs: 5000}})
    const state = write(trades(100, 'A'))
    for (let i = 0; i < 10; i++) {
      await clock.advance(500)
      await answerAll()
    }
    expect(sent).toHaveLength(0)
    expect(state).toMatchObject({done: true, error: undefined})
  })

  it('with a bad row are halved until it stands alone, and the others are written', async () => {
    const {sent, write} = scene({lingerMs: 0})
    const state = write(trades(9, 'A'))
    const written: string[] = []
    for (let i = 0; i < 20 && !state.done; i++) {
      for (const {ids, answer, refuse} of sent.splice(0)) {
        if (ids.includes('A6')) refuse(new CassandraRequestError('bad value'))
        else {
          written.push(...ids)
          answer()
        }
      }
      await settled()
    }
    expect(state).toMatchObject({done: true, refused: [6]})
    expect(written.sort()).toEqual(['A0', 'A1', 'A2', 'A3', 'A4', 'A5', 'A7', 'A8'])
  })

  it('with a bad state refuse that one only, and write the state that it stood for', async () => {
    const {clock, sent, write} = scene()
    const state = write([ticker(T0), ticker(T0 + 1000)])
    await clock.advance(25)
    sent.splice(0)[0]?.refuse(new CassandraRequestError('bad'))
    await settled()
    expect(sent.map(({ids}) => ids)).toEqual([[String(T0)]])
    sent[0]?.answer()
    await settled()
    expect(state).toMatchObject({done: true, refused: [1]})
  })

  it('that no other attempt would mend fail their write at once', async () => {
    const {sent, write, batcher} = scene({lingerMs: 0})
    const state = write(trades(2, 'A'))
    sent[0]?.refuse(new CassandraSchemaError('no table'))
    await settled()
    expect(state.error).toBeInstanceOf(CassandraSchemaError)
    expect(batcher.bytes).toBe(0)
  })

  it('leave room only for so many bytes, one write after the other', async () => {
    const {sent, write, batcher, answerAll, clock} = scene({maxBytes: 900, lingerMs: 0})
    write(trades(10, 'A'))
    expect(batcher.bytes).toBeGreaterThan(900)
    const admitted: number[] = []
    const wait = async (n: number) => {
      await batcher.room()
      admitted.push(n)
      write(trades(10, `S${n}`))
    }
    void wait(1)
    void wait(2)
    await clock.advance(100)
    expect(admitted).toEqual([])
    await answerAll()
    expect(admitted).toEqual([1])
    await clock.advance(100)
    expect(admitted).toEqual([1])
    await answerAll()
    expect(admitted).toEqual([1, 2])
    expect(sent).toHaveLength(1)
  })

  it('are waited for when it is closed, but not for ever', async () => {
    const {clock, sent, write, batcher} = scene({lingerMs: 0})
    const quick = write(trades(1, 'A'))
    const stuck = write(trades(1, 'B'))
    const closed = batcher.close(5000)
    sent[0]?.answer()
    await clock.advance(1000)
    expect([quick.done, stuck.error]).toEqual([true, undefined])
    await clock.advance(5000)
    await closed
    expect(stuck.error).toMatchObject({code: 'COINPIPE_NOT_CONNECTED'})
    await expect(batcher.room()).rejects.toMatchObject({code: 'COINPIPE_NOT_CONNECTED'})
  })

  it('get larger bounds from one to the next', async () => {
    const {sent, write, batcher} = scene({lingerMs: 0})
    batcher.change({...SETTINGS, rows: 3, lingerMs: 0})
    write(trades(4, 'A'))
    expect(sent.map(({ids}) => ids.length)).toEqual([3, 1])
  })
})
