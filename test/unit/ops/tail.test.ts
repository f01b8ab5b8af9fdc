import {describe, expect, it} from 'vitest'
import {DeadlineError, InvalidInputError} from '../../../src/lib/core/errors.ts'
import type {BusAdmin, OutgoingRecord} from '../../../src/lib/core/ports/bus.ts'
import {createLogger} from '../../../src/lib/observability/logger.ts'
import {type TailOptions, type TailSummary, tail} from '../../../src/lib/ops/tail.ts'
import {createDecode} from '../../../src/lib/ops/tail-decode.ts'
import {parseFilter} from '../../../src/lib/ops/tail-filter-parser.ts'
import {parseTemplate} from '../../../src/lib/ops/tail-format.ts'
import {parseOffsets} from '../../../src/lib/ops/tail-offsets.ts'
import {testContext} from '../../helpers/context.ts'
import {embeddedBus} from '../../helpers/embedded-bus.ts'
import {until} from '../../helpers/until.ts'

const TOPIC = 't'

async function busWith(partitions: number) {
  const {bus} = await embeddedBus()
  await bus.ensureTopic(TOPIC, {partitions, retentionMs: null, retentionBytes: null})
  return bus
}

interface Run {
  readonly lines: string[]
  readonly done: Promise<TailSummary>
  stop(): void
}

function start(bus: BusAdmin, offsets: readonly string[], over: Partial<TailOptions> = {}, context = testContext()): Run {
  const lines: string[] = []
  const options: TailOptions = {
    topic: TOPIC,
    range: parseOffsets(offsets, Date.now()),
    exit: false,
    isolation: 'committed',
    decode: createDecode('auto', undefined),
    format: () => parseTemplate('%s\n', false),
    write: async (chunk) => void lines.push(...String(chunk).trimEnd().split('\n')),
    ...over,
  }
  return {lines, done: tail(bus, options, context), stop: context.abort}
}

function numbered(from: number, to: number, partitions: number): OutgoingRecord[] {
  return Array.from({length: to - from}, (_, at) => ({
    topic: TOPIC,
    partition: (from + at) % partitions,
    key: null,
    value: String(from + at),
  }))
}

describe('tail', () => {
  it('shows what comes in, until it is stopped', async () => {
    const bus = await busWith(3)
    await bus.publish(numbered(0, 30, 3))
    const run = start(bus, [])
    // The end is looked up before anything is read; once one is shown, the others follow.
    await until('the first record to show', async () => {
      if (run.lines.length === 0) await bus.publish([{topic: TOPIC, key: 'k', value: 'live'}])
      return run.lines.length > 0
    })
    const before = run.lines.length
    await bus.publish([{topic: TOPIC, partition: 2, key: null, value: 'last'}])
    await until('the last record to show', () => run.lines.at(-1) === 'last')
    run.stop()
    const {shown} = await run.done
    expect(shown).toBe(run.lines.length)
    expect(run.lines.length).toBeGreaterThan(before)
    expect(run.lines.filter((line) => !['live', 'last'].includes(line))).toEqual([])
  })

  it('puts a backlog of all partitions in the order of time', async () => {
    const bus = await busWith(4)
    for (let from = 0; from < 3000; from += 10)
      await bus.publish(numbered(from, from + 10, 4).map((record) => ({...record, partition: (from / 10) % 4})))
    const run = start(bus, ['beginning'], {exit: true, format: () => parseTemplate('%T %p %o\n', false)})
    await run.done
    const rows = run.lines.map((line) => line.split(' ').map(Number))
    expect(rows.length).toBe(3000)
    const times = rows.map(([time]) => time)
    expect(times).toEqual([...times].sort((a = 0, b = 0) => a - b))
    for (const partition of [0, 1, 2, 3]) {
      const offsets = rows.filter((row) => row[1] === partition).map((row) => row[2])
      expect(offsets).toEqual(offsets.map((_, at) => at))
    }
  })

  it('ends where the topic ended when it started, however much comes in meanwhile', async () => {
    const bus = await busWith(2)
    await bus.publish(numbered(0, 100, 2))
    const run = start(bus, [], {
      exit: true,
      write: async (chunk) => {
        run.lines.push(...String(chunk).trimEnd().split('\n'))
        await bus.publish(numbered(1000, 1010, 2))
      },
    })
    expect(await run.done).toEqual({topic: TOPIC, read: 100, shown: 100, undecoded: 0})
    expect(run.lines.map(Number).sort((a, b) => a - b)).toEqual(Array.from({length: 100}, (_, at) => at))
  })

  it('starts and stops at times, the stop not included', async () => {
    const bus = await busWith(2)
    const times: number[] = []
    for (const value of [0, 1, 2, 3]) {
      await bus.publish([{topic: TOPIC, partition: value % 2, key: null, value: String(value)}])
      const [last] = await bus.read({topic: TOPIC, partition: value % 2, offset: Math.floor(value / 2)}, 1)
      times.push(last?.timestampMs ?? 0)
      await until('the clock to move on', () => Date.now() > (last?.timestampMs ?? 0) + 1)
    }
    const run = start(bus, [`s@${times[1]}`, `e@${times[3]}`])
    await run.done
    expect(run.lines).toEqual(['1', '2'])
    // The stop lies behind the last record: time alone ends it.
    const whole = start(bus, [`e@${(times[3] ?? 0) + 1}`])
    expect((await whole.done).shown).toBe(4)
  })

  it('reads on where a group is and leaves it there', async () => {
    const bus = await busWith(2)
    await bus.publish(numbered(0, 20, 2))
    await bus.resetGroup('g', [
      {topic: TOPIC, partition: 0, offset: 8},
      {topic: TOPIC, partition: 1, offset: 9},
    ])
    const run = start(bus, ['stored'], {group: 'g', exit: true})
    await run.done
    expect(run.lines.map(Number).sort((a, b) => a - b)).toEqual([16, 18, 19])
    expect((await bus.lag('g')).map(({committed}) => committed)).toEqual([8, 9])
    await expect(start(bus, ['end'], {group: 'g'}).done).rejects.toThrow(InvalidInputError)
  })

  it('shows as many as are wanted, of those that the filter lets through, of one partition', async () => {
    const bus = await busWith(2)
    await bus.publish(numbered(0, 100, 2))
    const run = start(bus, ['beginning'], {partition: 1, count: 3, filter: parseFilter('value >= 50')})
    expect((await run.done).shown).toBe(3)
    expect(run.lines).toEqual(['51', '53', '55'])
    await expect(start(bus, [], {partition: 2}).done).rejects.toThrow("topic 't' has no partition 2")
  })

  it('reads partitions that are added while it runs, from their beginning', async () => {
    const bus = await busWith(1)
    const run = start(bus, ['beginning'])
    await bus.addPartitions(TOPIC, 3)
    await bus.publish([{topic: TOPIC, partition: 2, key: null, value: 'new'}])
    await until('the new partition to show', () => run.lines.includes('new'), 15_000)
    run.stop()
    await run.done
  })

  it('goes on after trouble that passes, and ends with trouble that stays', async () => {
    const bus = await busWith(1)
    await bus.publish(numbered(0, 5, 1))
    const troubles: unknown[] = [new DeadlineError('for a moment'), new DeadlineError('and another')]
    const moody: BusAdmin = Object.create(bus, {
      read: {
        value: async (...args: Parameters<BusAdmin['read']>) => {
          const trouble = troubles.shift()
          if (trouble !== undefined) throw trouble
          return bus.read(...args)
        },
      },
      describeTopic: {value: (topic: string) => bus.describeTopic(topic)},
    })
    const run = start(moody, ['beginning'], {exit: true})
    expect((await run.done).shown).toBe(5)
    troubles.push(new InvalidInputError('for good'))
    await expect(start(moody, ['beginning'], {exit: true}).done).rejects.toThrow('for good')
  })

  it('tells the first payload that is no JSON, and at the end how many there were', async () => {
    const bus = await busWith(1)
    await bus.publish(['one', '{"a":1}', 'two'].map((value) => ({topic: TOPIC, partition: 0, key: null, value})))
    const told: object[] = []
    const stream = {write: (line: string) => told.push(JSON.parse(line)) > 0}
    const context = {...testContext(), logger: createLogger({format: 'json', stream})}
    const run = start(bus, ['beginning'], {exit: true, decode: createDecode('json', undefined)}, context)
    expect(await run.done).toMatchObject({shown: 3, undecoded: 2})
    expect(told).toMatchObject([
      {level: 'warn', partition: 0, offset: 0, reason: expect.stringContaining('not JSON')},
      {level: 'warn', read: 3, undecoded: 2},
    ])
  })

  it('asks for few large records at a time', async () => {
    const bus = await busWith(1)
    const value = 'x'.repeat(512 * 1024)
    await bus.publish(Array.from({length: 60}, () => ({topic: TOPIC, partition: 0, key: null, value})))
    const asked: number[] = []
    const watched: BusAdmin = Object.create(bus, {
      read: {
        value: (position: Parameters<BusAdmin['read']>[0], max: number) => {
          asked.push(max)
          return bus.read(position, max)
        },
      },
      describeTopic: {value: (topic: string) => bus.describeTopic(topic)},
    })
    await start(watched, ['beginning'], {exit: true, write: async () => undefined}).done
    expect(asked[0]).toBeLessThanOrEqual(10)
    expect(Math.max(...asked.slice(1))).toBe(2)
  })
})
