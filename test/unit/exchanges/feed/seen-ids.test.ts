import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {idKey, SeenIds} from '../../../../src/lib/exchanges/feed/seen-ids.ts'

const SPAN_US = 6_000_000
const ignore = () => undefined

describe('SeenIds', () => {
  it('tells ids beyond 2^53 apart', () => {
    const seen = new SeenIds(SPAN_US, 100, ignore)
    expect(seen.add('16186782620000031', 1)).toBe(true)
    expect(seen.add('16186782620000032', 1)).toBe(true)
    expect(seen.add('16186782620000031', 1)).toBe(false)
  })

  it('does not mix up texts that are no plain numbers', () => {
    const seen = new SeenIds(SPAN_US, 100, ignore)
    expect(['1', '01', '001', 'a1', '-1', ''].map((id) => seen.add(id, 1))).toEqual([true, true, true, true, true, true])
    expect(seen.add('01', 1)).toBe(false)
  })

  it('knows every id of the last span, although event times step back by up to 2 s', () => {
    const steps = fc.array(fc.record({forwardMs: fc.integer({min: 0, max: 3000}), backMs: fc.integer({min: 0, max: 2000})}), {
      maxLength: 80,
    })
    fc.assert(
      fc.property(steps, (list) => {
        const seen = new SeenIds(SPAN_US, 1000, ignore)
        const added: {id: string; time: number}[] = []
        let nowMs = 1_700_000_000_000
        for (const {forwardMs, backMs} of list) {
          nowMs += forwardMs
          const trade = {id: String(added.length), time: (nowMs - backMs) * 1000}
          added.push(trade)
          expect(seen.add(trade.id, trade.time)).toBe(true)
          for (const {id} of added.filter(({time}) => time > nowMs * 1000 - SPAN_US + 2_000_000)) expect(seen.has(idKey(id))).toBe(true)
        }
      }),
    )
  })

  it('stays bounded at any rate', () => {
    const seen = new SeenIds(SPAN_US, 50, ignore)
    for (let id = 0; id < 10_000; id++) seen.add(String(id), 1)
    expect(seen.sets.reduce((sum, set) => sum + set.size, 0)).toBeLessThanOrEqual(100)
    expect(seen.has(idKey('9999'))).toBe(true)
  })

  it('hands over each new half of the window as it begins', () => {
    const begun: number[] = []
    const seen = new SeenIds(SPAN_US, 100, (_ids, eventTime) => begun.push(eventTime))
    for (const time of [0, 3_000_000, 6_000_001, 7_000_000, 12_000_002]) seen.add(String(time), time)
    expect(begun).toEqual([6_000_001, 12_000_002])
  })
})
