import {describe, expect, it} from 'vitest'
import type {PartitionReplication, TopicDescription} from '../../../src/lib/core/ports/bus.ts'
import {leaderBalance} from '../../../src/lib/ops/balance.ts'
import {keepsLess} from '../../../src/lib/ops/change-topic.ts'
import {limitText, percent, retentionText, roundBytes} from '../../../src/lib/ops/format.ts'
import {givenSettings, parseSettings} from '../../../src/lib/ops/settings.ts'
import {viewTopic} from '../../../src/lib/ops/topics.ts'

function replication(partition: number, leader: number | null, replicas: number[], isr = replicas): PartitionReplication {
  return {topic: 't', partition, leader, leaderEpoch: 1, replicas, isr}
}

const REPLICATION = [replication(0, 1, [1, 2]), replication(1, 3, [2, 3], [3]), replication(2, null, [3, 1], [])]

const TOPIC: TopicDescription = {
  name: 't',
  partitions: 3,
  replicas: 2,
  retentionMs: 86_400_000,
  retentionBytes: null,
  settings: {'min.insync.replicas': '1'},
  offsets: [0, 1, 2].map((partition) => ({topic: 't', partition, earliest: 10 * partition, latest: 100})),
  replication: REPLICATION,
}

describe('viewTopic', () => {
  it('joins offsets with copies and counts what is under-replicated', () => {
    expect(viewTopic(TOPIC)).toMatchObject({
      topic: 't',
      replicas: 2,
      records: 270,
      underReplicated: 2,
      settings: {'min.insync.replicas': '1'},
      partitions: [
        {partition: 0, earliest: 0, latest: 100, leader: 1, replicas: [1, 2], isr: [1, 2], underReplicated: false},
        {partition: 1, leader: 3, isr: [3], underReplicated: true},
        {partition: 2, leader: null, isr: [], underReplicated: true},
      ],
    })
  })

  it('shows settings by name', () => {
    const {settings} = viewTopic({...TOPIC, settings: {c: '1', a: '2', b: '3'}})
    expect(Object.keys(settings)).toEqual(['a', 'b', 'c'])
  })

  it('takes a log without nodes as it is', () => {
    expect(viewTopic({...TOPIC, replicas: 1, replication: []})).toMatchObject({
      underReplicated: 0,
      partitions: [{leader: null, replicas: [], isr: [], underReplicated: false}, {}, {}],
    })
  })
})

describe('leaderBalance', () => {
  it('counts what each node leads, and of that what it should', () => {
    expect(leaderBalance(REPLICATION)).toEqual([
      {node: 1, leaders: 1, preferred: 1, preferredShare: 1},
      {node: 2, leaders: 0, preferred: 1, preferredShare: 0},
      {node: 3, leaders: 1, preferred: 1, preferredShare: 0},
    ])
  })

  it('knows a node that is first nowhere', () => {
    expect(leaderBalance([replication(0, 2, [1, 2])])).toContainEqual({node: 2, leaders: 1, preferred: 0, preferredShare: null})
  })
})

describe('keepsLess', () => {
  const view = viewTopic({...TOPIC, retentionMs: 1000, retentionBytes: null})
  it.each([
    [{retentionMs: 999}, true],
    [{retentionMs: 1000}, false],
    [{retentionMs: null}, false],
    [{retentionBytes: 1}, true],
    [{retentionBytes: null}, false],
    [{settings: {a: 'b'}}, false],
  ])('%j: %s', (changes, less) => {
    expect(keepsLess(view, changes)).toBe(less)
  })
})

describe('parseSettings', () => {
  it('reads keys and values; an empty one is the default', () => {
    const settings = parseSettings(['a.b=1', 'c=x=y', 'd='])
    expect(settings).toEqual({'a.b': '1', c: 'x=y', d: null})
    expect(givenSettings(settings)).toEqual({'a.b': '1', c: 'x=y'})
  })

  it.each([['a'], ['=1'], ['a b=1'], ['a=1', 'a=2']])('refuses %j', (...texts) => {
    expect(() => parseSettings(texts)).toThrow(expect.objectContaining({exitCode: 2}))
  })
})

describe('format', () => {
  it('shows limits and shares', () => {
    expect([retentionText(null), retentionText(604_800_000), limitText(null), limitText(1024 ** 3)]).toEqual([
      'forever',
      '7d',
      'unlimited',
      '1.0 GiB',
    ])
    expect([0, 1023, 1024, 1536, 5 * 1024 ** 3].map(roundBytes)).toEqual(['0 B', '1023 B', '1.0 KiB', '1.5 KiB', '5.0 GiB'])
    expect(percent(2 / 3)).toBe('66.7 %')
  })
})
