import {expect, it} from 'vitest'
import {partitionsText} from '../../../src/lib/ops/format.ts'

const held = (topic: string, ...numbers: number[]) => numbers.map((partition) => ({topic, partition}))

it.each([
  [[], ''],
  [held('a', 3), 'a 3'],
  [held('b', 0, 1, 2, 3, 4, 5), 'b 0-5'],
  [[...held('b', 10, 2, 3, 0), ...held('a', 1, 0)], 'a 0-1, b 0 2-3 10'],
])('shortens runs of partitions: %j', (partitions, text) => {
  expect(partitionsText(partitions)).toBe(text)
})
