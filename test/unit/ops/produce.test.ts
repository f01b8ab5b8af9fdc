import {PassThrough, Readable} from 'node:stream'
import {describe, expect, it} from 'vitest'
import {DeadlineError, InvalidInputError} from '../../../src/lib/core/errors.ts'
import type {Bus, OutgoingRecord, PublishResult} from '../../../src/lib/core/ports/bus.ts'
import {ProduceStoppedError} from '../../../src/lib/ops/errors.ts'
import {MAX_RECORD_BYTES, type ProduceOptions, produceLines, type Refusal} from '../../../src/lib/ops/produce.ts'
import {parseHeaders, recordOfLine} from '../../../src/lib/ops/produce-lines.ts'
import {testContext} from '../../helpers/context.ts'
import {embeddedBus} from '../../helpers/embedded-bus.ts'
import {until} from '../../helpers/until.ts'

const PLAIN = {topic: 't', headers: {}, nulls: false}

function options(input: Readable, over: Partial<ProduceOptions> = {}): ProduceOptions {
  return {...PLAIN, input, delimiter: Buffer.from('\n'), bounded: false, onRefused: () => undefined, ...over}
}

async function busWith(partitions = 1) {
  const {bus} = await embeddedBus()
  await bus.ensureTopic('t', {partitions, retentionMs: null, retentionBytes: null})
  return {bus, values: async () => (await bus.read({topic: 't', partition: 0, offset: 0}, 10_000)).map(({value}) => value)}
}

/** A bus that publishes when it is told to. */
function heldBus(capacity: (records: readonly OutgoingRecord[]) => Promise<readonly PublishResult[]>): Bus {
  return {publish: capacity} as unknown as Bus
}

describe('recordOfLine', () => {
  const record = (line: string | Buffer, nulls = false) => {
    const {key, value} = recordOfLine(Buffer.from(line), {...PLAIN, keyDelimiter: Buffer.from('::'), nulls})
    return [key, value]
  }

  it('cuts at the first key delimiter; without one all is value', () => {
    expect(record('a::b::c')).toEqual(['a', 'b::c'])
    expect(record('a:b')).toEqual([null, 'a:b'])
    expect(record('::b')).toEqual(['', 'b'])
    expect(record('a::')).toEqual(['a', ''])
  })

  it('makes nothing null, where it is asked to', () => {
    expect(record('a::', true)).toEqual(['a', null])
    expect(record('::b', true)).toEqual([null, 'b'])
    expect(record('::', true)).toEqual([null, null])
  })

  it('keeps values that are no text as bytes, and refuses such keys', () => {
    expect(record(Buffer.from([0x61, 0x3a, 0x3a, 0x80]))).toEqual(['a', Uint8Array.from([0x80])])
    expect(() => record(Buffer.from([0x80, 0x3a, 0x3a, 0x61]))).toThrow(InvalidInputError)
  })
})

describe('parseHeaders', () => {
  it('reads name=value', () => expect(parseHeaders(['a=1', 'b=c=d', 'e='])).toEqual({a: '1', b: 'c=d', e: ''}))
  it.each([[['a']], [['=1']], [['a=1', 'a=2']]])('refuses %j', (texts) => expect(() => parseHeaders(texts)).toThrow(InvalidInputError))
})

describe('produceLines', () => {
  it('publishes lines in their order and says how many went where', async () => {
    const {bus, values} = await busWith()
    const lines = Array.from({length: 12_000}, (_, at) => `line ${at}`)
    const summary = await produceLines(
      bus,
      options(Readable.from([Buffer.from(lines.slice(0, 9999).join('\n')), Buffer.from(`\n\n${lines.slice(9999).join('\n')}`)])),
      testContext(),
    )
    expect(summary).toMatchObject({
      topic: 't',
      records: 12_000,
      unacknowledged: 0,
      partitions: [{partition: 0, records: 12_000}],
      refused: 0,
    })
    expect(summary.bytes).toBe(lines.join('').length)
    expect(await values()).toEqual(lines.slice(0, 10_000))
  })

  it('leaves out lines that are too large, with their numbers, and keeps the others', async () => {
    const {bus, values} = await busWith()
    const input = new PassThrough()
    const told: Refusal[] = []
    const done = produceLines(
      bus,
      options(input, {headers: {h: 'x'.repeat(100)}, onRefused: (refusal) => told.push(refusal)}),
      testContext(),
    )
    input.write('one\n')
    input.write(Buffer.alloc(MAX_RECORD_BYTES + 1, 'x'))
    input.write('\n\nfour\n')
    // Fits, but not together with its header: the bus itself refuses it.
    input.write(Buffer.alloc(MAX_RECORD_BYTES, 'y'))
    input.end('\nsix')
    const summary = await done
    expect(summary).toMatchObject({records: 3, refused: 2})
    expect(told.map(({line}) => line)).toEqual([2, 5])
    expect(told[1]?.code).toBe('COINPIPE_RECORD_TOO_LARGE')
    expect(await values()).toEqual(['one', 'four', 'six'])
  })

  it('reads no faster than the bus takes', async () => {
    let release: () => void = () => undefined
    let published = 0
    const bus = heldBus(async (records) => {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      published += records.length
      return records.map(() => ({topic: 't', partition: 0, offset: 0}))
    })
    let read = 0
    const input = new Readable({
      read() {
        read += 1
        this.push(read > 2000 ? null : Buffer.from(`${'x'.repeat(9_999)}\n`))
      },
    })
    const done = produceLines(bus, options(input), testContext())
    let stalledAt = -1
    // Reading has stopped once it is at the same place twice.
    await until('reading to stop', () => {
      const isStill = read === stalledAt
      stalledAt = read
      return isStill && read > 0
    })
    // One batch under way, one that is full, and what the stream itself holds.
    expect(read).toBeLessThan(300)
    const timer = setInterval(() => release(), 1)
    await done.finally(() => clearInterval(timer))
    expect(published).toBe(2000)
  })

  it('publishes what was read when it is stopped, but not half a line', async () => {
    const {bus, values} = await busWith()
    const context = testContext()
    const input = new PassThrough()
    const done = produceLines(bus, options(input), context)
    input.write('one\ntwo\nhal')
    await until('the lines to be in the log', async () => (await values()).length === 2)
    context.abort()
    expect((await done).records).toBe(2)
    expect(await values()).toEqual(['one', 'two'])
  })

  it('says where to go on when a file is stopped before its end', async () => {
    const {bus, values} = await busWith()
    const context = testContext()
    const input = new PassThrough()
    const done = produceLines(bus, options(input, {bounded: true}), context)
    done.catch(() => undefined)
    input.write('one\ntwo\n')
    await until('the lines to be in the log', async () => (await values()).length === 2)
    context.abort()
    await expect(done).rejects.toMatchObject({
      code: 'COINPIPE_PRODUCE_STOPPED',
      exitCode: 5,
      remedy: [expect.stringContaining('tail -n +3 ')],
    })
  })

  it('takes no more than are wanted', async () => {
    const {bus, values} = await busWith()
    const summary = await produceLines(bus, options(Readable.from([Buffer.from('a\nb\nc\nd\n')]), {count: 2, bounded: true}), testContext())
    expect(summary.records).toBe(2)
    expect(await values()).toEqual(['a', 'b'])
  })

  it('stops where the bus fails, and says what is in the log', async () => {
    const {bus} = await busWith()
    let calls = 0
    const failing = heldBus(async (records) => {
      calls += 1
      if (calls > 1) throw new DeadlineError('no answer')
      return bus.publish(records)
    })
    const lines = Buffer.from(Array.from({length: 20_000}, (_, at) => `line ${at}\n`).join(''))
    const error = await produceLines(failing, options(Readable.from([lines])), testContext()).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ProduceStoppedError)
    expect(error).toMatchObject({exitCode: 4, message: 'stopped after line 5000, with 5000 records in the log: no answer'})
    expect(calls).toBe(2)
  })

  it('does not count what was never acknowledged', async () => {
    const bus = heldBus(async (records) => records.map(() => ({topic: 't', partition: 0, offset: null})))
    const summary = await produceLines(bus, options(Readable.from([Buffer.from('a\nb\n')])), testContext())
    expect(summary).toMatchObject({records: 0, unacknowledged: 2})
  })
})
