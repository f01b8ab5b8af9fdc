import {describe, expect, it} from 'vitest'
import {InvalidInputError, UnknownTopicError} from '../../../src/lib/core/errors.ts'
import type {Bus, BusAdmin, OutgoingRecord} from '../../../src/lib/core/ports/bus.ts'
import {checkDeadLetterTopic, deadLetterTopics, newestLetters, summarize} from '../../../src/lib/ops/dead-letters.ts'
import {planRedrive, type RedriveOptions, redrive, redriveGroup} from '../../../src/lib/ops/redrive.ts'
import {messageDeadLetter} from '../../../src/lib/pipeline/dead-letter.ts'
import {type TestContext, testContext} from '../../helpers/context.ts'
import {embeddedBus} from '../../helpers/embedded-bus.ts'
import {until} from '../../helpers/until.ts'

const SOURCE = 'market.trade'
const DLQ = `${SOURCE}.g.dlq`

/** A letter as a sink of group g writes it. */
function letter(name: string, code: string, over: Partial<OutgoingRecord> = {}): OutgoingRecord {
  const message = {topic: SOURCE, partition: 1, offset: 5, key: `key ${name}`, value: name, headers: {own: 'kept'}, timestampMs: 0}
  return {...messageDeadLetter('g', message, {code, message: `why ${name}`, attempts: 3}), ...over}
}

async function busWith(letters: readonly OutgoingRecord[]) {
  const {bus} = await embeddedBus()
  await bus.ensureTopic(SOURCE, {partitions: 2, retentionMs: null, retentionBytes: null})
  await bus.publish(letters)
  return bus
}

function options(over: Partial<RedriveOptions> = {}): RedriveOptions {
  return {topic: DLQ, again: false, ...over}
}

async function run(bus: Bus & BusAdmin, over: Partial<RedriveOptions> = {}, context: TestContext = testContext()): Promise<number> {
  return redrive(bus, await planRedrive(bus, options(over), context.signal), options(over), context)
}

async function values(bus: BusAdmin, topic = SOURCE, partition = 1) {
  return (await bus.read({topic, partition, offset: 0}, 10_000)).map(({value}) => value)
}

const never = new AbortController().signal

describe('dead letters', () => {
  it('are counted by their codes, and shown newest last', async () => {
    const bus = await busWith([letter('a', 'X'), letter('b', 'Y'), letter('c', 'X')])
    expect(await deadLetterTopics(bus)).toEqual([DLQ])
    expect(await summarize(bus, DLQ, never)).toMatchObject({topic: DLQ, records: 3, codes: {X: 2, Y: 1}, oldestMs: expect.any(Number)})
    const [last] = await newestLetters(bus, DLQ, {last: 1, code: 'X'}, never)
    expect(last).toMatchObject({
      offset: 2,
      code: 'X',
      reason: 'why c',
      attempts: 3,
      source: {topic: SOURCE, partition: 1, offset: 5},
      cutFrom: null,
      key: 'key c',
      value: 'c',
      headers: {own: 'kept'},
    })
    expect((await newestLetters(bus, DLQ, {last: 2}, never)).map(({value}) => value)).toEqual(['b', 'c'])
  })

  it('are only in topics of their own', () => {
    expect(() => checkDeadLetterTopic(SOURCE)).toThrow(InvalidInputError)
    expect(() => checkDeadLetterTopic(DLQ)).not.toThrow()
  })
})

describe('redrive', () => {
  it('sends each letter once, as it was, with its attempts raised', async () => {
    const bus = await busWith([letter('a', 'X'), letter('b', 'X', {value: Buffer.from([0x80])}), letter('c', 'X', {value: null})])
    expect((await planRedrive(bus, options(), never)).rows).toEqual([{code: 'X', to: SOURCE, records: 3, before: 0, unusable: 0}])
    expect(await values(bus)).toEqual([])
    expect(await run(bus)).toBe(3)
    const sent = await bus.read({topic: SOURCE, partition: 1, offset: 0}, 10)
    expect(sent.map(({key, value}) => [key, value])).toEqual([
      ['key a', 'a'],
      ['key b', Uint8Array.from([0x80])],
      ['key c', null],
    ])
    expect(sent[0]?.headers).toEqual({own: 'kept', attempts: '4'})
    expect(await run(bus)).toBe(0)
    expect((await planRedrive(bus, options(), never)).rows).toEqual([{code: 'X', to: SOURCE, records: 0, before: 3, unusable: 0}])
    await bus.publish([letter('d', 'X')])
    expect(await run(bus)).toBe(1)
    expect(await run(bus, {again: true})).toBe(4)
  })

  it('keeps codes apart: one that was sent alone is not sent with all', async () => {
    const bus = await busWith([letter('a', 'X'), letter('b', 'Y'), letter('c', 'X'), letter('d', 'Y')])
    expect(await run(bus, {code: 'Y'})).toBe(2)
    expect(await values(bus)).toEqual(['b', 'd'])
    expect(await run(bus)).toBe(2)
    expect(await values(bus)).toEqual(['b', 'd', 'a', 'c'])
    expect(await run(bus)).toBe(0)
  })

  it('passes over what cannot go, and says so', async () => {
    const cut = {headers: {...letter('a', 'X').headers, 'frame-bytes': '99'}}
    const bus = await busWith([letter('a', 'X', cut), letter('b', 'F', {headers: {'error-code': 'F'}}), letter('c', 'X')])
    const {rows} = await planRedrive(bus, options(), never)
    expect(rows).toEqual([
      {code: 'X', to: SOURCE, records: 1, before: 0, unusable: 1},
      {code: 'F', to: null, records: 0, before: 0, unusable: 1},
    ])
    expect(await run(bus)).toBe(1)
    await bus.ensureTopic('repairs', {partitions: 1, retentionMs: null, retentionBytes: null})
    expect(await run(bus, {to: 'repairs'})).toBe(1)
    expect(await values(bus, 'repairs', 0)).toEqual(['b'])
  })

  it('refuses to make topics, and to run twice at once', async () => {
    const bus = await busWith([letter('a', 'X')])
    await expect(run(bus, {to: 'nowhere'})).rejects.toThrow(UnknownTopicError)
    const other = bus.subscribe({group: redriveGroup(DLQ, 'X'), topics: [DLQ]}, never)
    await until('the other one to be there', async () => (await bus.describeGroup(redriveGroup(DLQ, 'X'))).members.length > 0)
    await expect(run(bus)).rejects.toThrow(/is running/)
    await other.close()
    expect(await run(bus)).toBe(1)
  })

  it.each([true, false])('goes on where it was interrupted (transactions: %s)', async (transactions) => {
    const letters = Array.from({length: 2500}, (_, at) => letter(`${at}`, at % 5 === 0 ? 'Y' : 'X'))
    const bus = await busWith(letters)
    const context = testContext()
    let calls = 0
    const stopping: Bus & BusAdmin = new Proxy(bus, {
      get(target, name) {
        if (name === 'capabilities') return {...bus.capabilities, transactions}
        const value = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          // Stopped once the second batch is under way.
          if (name === (transactions ? 'transaction' : 'publish') && ++calls === 2) context.abort()
          return value.apply(target, args)
        }
      },
    })
    await expect(run(stopping, {}, context)).rejects.toMatchObject({code: 'COINPIPE_REDRIVE_STOPPED', exitCode: 5})
    const before = (await values(bus)).length
    expect(before).toBeGreaterThan(0)
    expect(before).toBeLessThan(2500)
    await run(bus)
    const all = await values(bus)
    expect(all.length).toBe(2500)
    expect(new Set(all).size).toBe(2500)
  })
})
