import {describe, expect, it} from 'vitest'
import {changedSettings, newTopicSettings, retentionOf, withoutRetention} from '../../../../../src/lib/bus/kafka/admin/topic-config.ts'

const HOUR_MS = 3_600_000

describe('topic settings', () => {
  it('stamps records on arrival, and rolls segments so that a quiet partition forgets too', () => {
    expect(newTopicSettings({partitions: 6, retentionMs: 24 * HOUR_MS, retentionBytes: null})).toEqual({
      'retention.ms': '86400000',
      'retention.bytes': '-1',
      'segment.ms': '3600000',
      'message.timestamp.type': 'LogAppendTime',
    })
  })

  it('shares the limit by size out to the partitions, and adds it up again', () => {
    const settings = newTopicSettings({partitions: 3, retentionMs: null, retentionBytes: 3_000_000})
    expect(settings).toMatchObject({'retention.ms': '-1', 'retention.bytes': '1000000'})
    expect(settings).not.toHaveProperty(['segment.ms'])
    expect(retentionOf(settings, 3)).toEqual({retentionMs: null, retentionBytes: 3_000_000})
    expect(withoutRetention(settings)).toEqual({'message.timestamp.type': 'LogAppendTime'})
  })

  it('never keeps less than asked where the size does not divide', () => {
    expect(newTopicSettings({partitions: 3, retentionMs: null, retentionBytes: 10})['retention.bytes']).toBe('4')
  })

  it('lets the config have the last word', () => {
    const settings = {'segment.ms': '5', 'message.timestamp.type': 'CreateTime'}
    expect(newTopicSettings({partitions: 1, retentionMs: HOUR_MS, retentionBytes: null, settings})).toMatchObject(settings)
  })

  it('never rolls segments more than once a minute', () => {
    expect(newTopicSettings({partitions: 1, retentionMs: 0, retentionBytes: null})['segment.ms']).toBe('60000')
  })

  it('changes what is named, and rolls more often for a shorter retention only', () => {
    const now = {'segment.ms': String(HOUR_MS)}
    expect(changedSettings({}, 3, now)).toEqual({})
    expect(changedSettings({retentionMs: 48 * HOUR_MS}, 3, now)).toEqual({'retention.ms': String(48 * HOUR_MS)})
    expect(changedSettings({retentionMs: HOUR_MS / 2}, 3, now)).toEqual({'retention.ms': '1800000', 'segment.ms': '1800000'})
    expect(changedSettings({retentionMs: null, retentionBytes: 9, settings: {'cleanup.policy': null}}, 3, now)).toEqual({
      'retention.ms': '-1',
      'retention.bytes': '3',
      'cleanup.policy': null,
    })
  })
})
