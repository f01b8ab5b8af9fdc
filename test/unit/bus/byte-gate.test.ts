import {describe, expect, it} from 'vitest'
import {ByteGate} from '../../../src/lib/bus/byte-gate.ts'

describe('ByteGate', () => {
  it('lets pass up to its limit, the rest in order as room comes', () => {
    const gate = new ByteGate(10)
    const passed: string[] = []
    for (const [name, bytes] of [
      ['a', 6],
      ['b', 4],
      ['c', 3],
      ['d', 1],
    ] as const)
      gate.enter(bytes, () => passed.push(name))
    expect(passed).toEqual(['a', 'b'])
    gate.leave(4)
    expect(passed).toEqual(['a', 'b', 'c', 'd'])
    expect(gate.bytes).toBe(10)
  })

  it('lets the small wait behind the large, so that nobody starves', () => {
    const gate = new ByteGate(10)
    const passed: string[] = []
    for (const [name, bytes] of [
      ['a', 6],
      ['large', 9],
      ['small', 1],
    ] as const)
      gate.enter(bytes, () => passed.push(name))
    expect(passed).toEqual(['a'])
    gate.leave(6)
    expect(passed).toEqual(['a', 'large', 'small'])
  })

  it('lets pass what is larger than the limit when nothing else is inside', () => {
    const gate = new ByteGate(10)
    const passed: string[] = []
    gate.enter(50, () => passed.push('huge'))
    gate.enter(1, () => passed.push('next'))
    expect(passed).toEqual(['huge'])
    gate.leave(50)
    expect(passed).toEqual(['huge', 'next'])
  })
})
