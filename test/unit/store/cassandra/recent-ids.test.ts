import {expect, it} from 'vitest'
import {RecentIds} from '../../../../src/lib/store/cassandra/recent-ids.ts'

it('knows the last ids, at least as many as asked for', () => {
  const ids = new RecentIds(100)
  for (let i = 0; i < 1000; i++) {
    expect(ids.add(String(i))).toBe(true)
    for (const recent of [i, i - 1, i - 99]) if (recent >= 0) expect(ids.add(String(recent))).toBe(false)
  }
  expect(ids.add('0')).toBe(true)
})
