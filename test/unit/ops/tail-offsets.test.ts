import {describe, expect, it} from 'vitest'
import {InvalidInputError} from '../../../src/lib/core/errors.ts'
import {parseOffsets, resolveStart, type TailStart} from '../../../src/lib/ops/tail-offsets.ts'
import {embeddedBus, records} from '../../helpers/embedded-bus.ts'

const NOW = Date.parse('2026-01-31T10:00:00Z')

describe('parseOffsets', () => {
  it.each([
    ['beginning', {kind: 'beginning'}],
    ['end', {kind: 'end'}],
    ['stored', {kind: 'stored'}],
    ['12', {kind: 'offset', offset: 12}],
    ['-5', {kind: 'before-end', count: 5}],
    ['-0', {kind: 'before-end', count: 0}],
    ['s@1700000000000', {kind: 'time', atMs: 1_700_000_000_000}],
    ['s@2026-01-31T09:00:00Z', {kind: 'time', atMs: NOW - 3_600_000}],
    ['s@1h', {kind: 'time', atMs: NOW - 3_600_000}],
  ])('reads %s', (text, start) => expect(parseOffsets([text], NOW)).toEqual({start, stopMs: undefined}))

  it('takes a start and a stop together', () => {
    expect(parseOffsets(['e@2000', 's@1000'], NOW)).toEqual({start: {kind: 'time', atMs: 1000}, stopMs: 2000})
    expect(parseOffsets(['e@2000'], NOW)).toEqual({start: undefined, stopMs: 2000})
    expect(parseOffsets([], NOW)).toEqual({start: undefined, stopMs: undefined})
  })

  it.each([['begin'], ['1.5'], ['--5'], ['s@'], ['s@yesterday'], ['99999999999999999999'], ['1', '2'], ['e@1', 'e@2'], ['s@1', 'end']])(
    'refuses %s %s',
    (...texts) => expect(() => parseOffsets(texts.filter(Boolean), NOW)).toThrow(InvalidInputError),
  )
})

describe('resolveStart', () => {
  it('finds the place in each partition, within what is there', async () => {
    const {bus} = await embeddedBus()
    await bus.ensureTopic('t', {partitions: 2, retentionMs: null, retentionBytes: null})
    await bus.publish(records('t', 10))
    await bus.publish(records('t', 2, {partition: 1}))
    await bus.trim([{topic: 't', partition: 0, offset: 3}])
    await bus.resetGroup('g', [{topic: 't', partition: 0, offset: 8}])
    const topic = await bus.describeTopic('t')
    const offsets = async (start: TailStart) => (await resolveStart(bus, topic, start, 'g')).map(({offset}) => offset)
    expect(await offsets({kind: 'beginning'})).toEqual([3, 0])
    expect(await offsets({kind: 'end'})).toEqual([10, 2])
    expect(await offsets({kind: 'offset', offset: 1})).toEqual([3, 1])
    expect(await offsets({kind: 'offset', offset: 99})).toEqual([10, 2])
    expect(await offsets({kind: 'before-end', count: 4})).toEqual([6, 0])
    expect(await offsets({kind: 'stored'})).toEqual([8, 0])
    expect(await offsets({kind: 'time', atMs: 0})).toEqual([3, 0])
    expect(await offsets({kind: 'time', atMs: Date.now() + 60_000})).toEqual([10, 2])
    await expect(resolveStart(bus, topic, {kind: 'stored'})).rejects.toThrow(InvalidInputError)
  })
})
