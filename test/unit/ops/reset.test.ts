import {describe, expect, it} from 'vitest'
import {planReset, reset} from '../../../src/lib/ops/reset.ts'
import {parseTarget} from '../../../src/lib/ops/target.ts'
import {planTrim, trim} from '../../../src/lib/ops/trim.ts'
import {embeddedBus, records} from '../../helpers/embedded-bus.ts'

const KEEP = {retentionMs: null, retentionBytes: null}

/** Topic `t`: partition 0 has the offsets 2 to 9, partition 1 the offsets 0 to 3; group `g` has committed 5 in partition 0. */
async function log() {
  const {bus} = await embeddedBus()
  await bus.ensureTopic('t', {partitions: 2, ...KEEP})
  await bus.ensureTopic('other', {partitions: 1, ...KEEP})
  await bus.publish([...records('t', 10), ...records('t', 4, {partition: 1})])
  await bus.trim([{topic: 't', partition: 0, offset: 2}])
  await bus.resetGroup('g', [{topic: 't', partition: 0, offset: 5}])
  return bus
}

const to = (text: string) => parseTarget(text, Date.now())

describe('parseTarget', () => {
  it.each([
    ['earliest', {kind: 'earliest'}],
    ['latest', {kind: 'latest'}],
    ['0', {kind: 'offset', offset: 0}],
    ['120000', {kind: 'offset', offset: 120_000}],
    ['2h', {kind: 'time', atMs: 10_000_000 - 7_200_000}],
    ['1970-01-02', {kind: 'time', atMs: 86_400_000}],
    ['2026-01-31T09:00:00.5Z', {kind: 'time', atMs: Date.UTC(2026, 0, 31, 9, 0, 0, 500)}],
  ])('reads %s', (text, target) => {
    expect(parseTarget(text, 10_000_000)).toEqual(target)
  })

  it.each(['', 'first', '-1', '1.5', '99999999999999999999', '2026-31-01'])('refuses %j', (text) => {
    expect(() => parseTarget(text, 0)).toThrow(expect.objectContaining({code: 'COINPIPE_INVALID_INPUT', exitCode: 2}))
  })
})

describe('planReset', () => {
  it.each([
    ['earliest', {next: 2, again: 3, skipped: 0}],
    ['latest', {next: 10, again: 0, skipped: 5}],
    ['7', {next: 7, again: 0, skipped: 2}],
    ['0', {next: 2, again: 3, skipped: 0}],
    ['500', {next: 10, again: 0, skipped: 5}],
    ['1h', {next: 2, again: 3, skipped: 0}],
  ])('to %s moves the partitions that the group has', async (place, expected) => {
    const rows = await planReset(await log(), {group: 'g', to: to(place)})
    expect(rows).toEqual([{topic: 't', partition: 0, current: 5, ...expected}])
  })

  it.each([
    [2, {next: 7, again: 0, skipped: 2}],
    [-1, {next: 4, again: 1, skipped: 0}],
    [-100, {next: 2, again: 3, skipped: 0}],
  ])('by %d', async (by, expected) => {
    const rows = await planReset(await log(), {group: 'g', to: {kind: 'shift', by}})
    expect(rows).toEqual([{topic: 't', partition: 0, current: 5, ...expected}])
  })

  it('takes all partitions of a topic that is named', async () => {
    const rows = await planReset(await log(), {group: 'g', to: to('latest'), topic: 't'})
    expect(rows.map(({partition, current, next, skipped}) => [partition, current, next, skipped])).toEqual([
      [0, 5, 10, 5],
      [1, null, 4, 4],
    ])
  })

  it('takes one partition', async () => {
    const rows = await planReset(await log(), {group: 'g', to: to('1'), topic: 't', partition: 1})
    expect(rows).toEqual([{topic: 't', partition: 1, current: null, next: 1, again: 0, skipped: 1}])
  })

  it('refuses a partition that there is not, and a plan of nothing', async () => {
    const bus = await log()
    const missing = planReset(bus, {group: 'g', to: to('1'), topic: 't', partition: 2})
    await expect(missing).rejects.toThrow("topic 't' has no partition 2")
    const nothing = planReset(bus, {group: 'g', to: {kind: 'shift', by: 1}, topic: 'other'})
    await expect(nothing).rejects.toThrow("no partition to reset in group 'g'")
  })

  it('changes nothing by itself; reset does what it says', async () => {
    const bus = await log()
    const rows = await planReset(bus, {group: 'g', to: to('earliest'), topic: 't'})
    expect(await bus.lag('g')).toMatchObject([{partition: 0, committed: 5}])
    await reset(bus, 'g', rows)
    expect(await bus.lag('g')).toMatchObject([
      {partition: 0, committed: 2, lag: 8},
      {partition: 1, committed: 0, lag: 4},
    ])
  })
})

describe('planTrim', () => {
  it('says what goes, and leaves out partitions that lose nothing', async () => {
    const bus = await log()
    expect(await planTrim(bus, {topic: 't', before: to('2')})).toEqual([{topic: 't', partition: 1, earliest: 0, before: 2, records: 2}])
    expect(await planTrim(bus, {topic: 't', before: to('24h')})).toEqual([])
    expect(await planTrim(bus, {topic: 't', partition: 0, before: to('500')})).toMatchObject([{before: 10, records: 8}])
  })

  it('removes that', async () => {
    const bus = await log()
    await trim(bus, await planTrim(bus, {topic: 't', before: to('latest')}))
    const {offsets} = await bus.describeTopic('t')
    expect(offsets.map(({earliest, latest}) => latest - earliest)).toEqual([0, 0])
  })
})
