import {expect, it} from 'vitest'
import {Ties} from '../../../../src/lib/store/cassandra/ties.ts'

it('gives states of one time places in the order in which they came, and each its own again', () => {
  const ties = new Ties()
  expect(['a', 'b', 'c', 'b', 'a'].map((id) => ties.place(1000, id))).toEqual([0, 1, 2, 1, 0])
  expect([ties.place(2000, 'd'), ties.place(1000, 'b'), ties.place(2000, 'e')]).toEqual([0, 0, 1])
})

it('stays below the next millisecond, however many there are', () => {
  const ties = new Ties()
  const places = Array.from({length: 1500}, (_, i) => ties.place(1000, `${i}`))
  expect([Math.max(...places), places[998]]).toEqual([999, 998])
})
