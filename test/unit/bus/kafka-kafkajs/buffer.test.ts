import {describe, expect, it} from 'vitest'
import {FETCH_BYTES, PartitionBuffer} from '../../../../src/lib/bus/kafka-kafkajs/buffer.ts'
import type {BusMessage} from '../../../../src/lib/core/ports/bus.ts'

const message = (offset: number): BusMessage => ({topic: 't', partition: 0, offset, key: null, value: 'x', headers: {}, timestampMs: 0})
const request = (offset: number, changes: {maxRecords?: number; maxBytes?: number; atLeastOne?: boolean} = {}) => ({
  topic: 't',
  partition: 0,
  offset,
  maxRecords: 100,
  maxBytes: 1_000_000,
  atLeastOne: true,
  ...changes,
})
const offsets = (messages: readonly BusMessage[]) => messages.map(({offset}) => offset)

function filled(...at: readonly number[]): PartitionBuffer {
  const buffer = new PartitionBuffer({topic: 't', partition: 0})
  buffer.read(request(at[0] ?? 0))
  buffer.push(
    at.map(message),
    at.map(() => 10),
    (at.at(-1) ?? 0) + 1,
  )
  return buffer
}

describe('PartitionBuffer', () => {
  it('fetches nothing before it is read, and then from where it was read', () => {
    const buffer = new PartitionBuffer({topic: 't', partition: 0})
    expect(buffer.wants).toBe(false)
    expect(buffer.read(request(7))).toEqual({messages: [], bytes: 0, next: 7, missed: 0, more: false})
    expect([buffer.wants, buffer.fetchOffset]).toEqual([true, 7])
  })

  it('hands out what fits, in order, and says whether there is more', () => {
    const buffer = filled(0, 1, 2, 3)
    const first = buffer.read(request(0, {maxRecords: 2}))
    expect([offsets(first.messages), first.next, first.bytes, first.more]).toEqual([[0, 1], 2, 20, true])
    const second = buffer.read(request(2, {maxBytes: 15}))
    expect([offsets(second.messages), second.next, second.more]).toEqual([[2], 3, true])
    const third = buffer.read(request(3))
    expect([offsets(third.messages), third.next, third.more]).toEqual([[3], 4, false])
  })

  it('lets a record through that is larger than asked for only where there has to be one', () => {
    const buffer = filled(0)
    expect(buffer.read(request(0, {maxBytes: 1, atLeastOne: false}))).toMatchObject({messages: [], next: 0, more: true})
    expect(offsets(buffer.read(request(0, {maxBytes: 1})).messages)).toEqual([0])
  })

  it('passes over offsets without records, in the middle and at the end', () => {
    const buffer = filled(0, 5)
    buffer.push([], [], 9)
    expect(buffer.read(request(0, {maxRecords: 1})).next).toBe(5)
    expect(buffer.read(request(5)).next).toBe(9)
    expect(buffer.fetchOffset).toBe(9)
  })

  it('starts over where it is read from elsewhere', () => {
    const buffer = filled(0, 1, 2)
    buffer.read(request(0, {maxRecords: 2}))
    expect(buffer.read(request(1)).messages).toEqual([])
    expect(buffer.fetchOffset).toBe(1)
  })

  it('wants no more while enough waits', () => {
    const buffer = new PartitionBuffer({topic: 't', partition: 0})
    buffer.read(request(0))
    buffer.push([message(0), message(1)], [FETCH_BYTES / 2, FETCH_BYTES / 2], 2)
    expect(buffer.wants).toBe(false)
    buffer.read(request(0, {maxRecords: 1}))
    expect(buffer.wants).toBe(true)
  })

  it('tells once how many records were missed, or that the log begins anew', () => {
    const ahead = filled(3)
    ahead.restart(10)
    expect(ahead.read(request(3))).toMatchObject({messages: [], next: 10, missed: 7})
    expect(ahead.read(request(10))).toMatchObject({messages: [], next: 10, missed: 0})
    const back = filled(50)
    back.restart(0)
    expect(back.read(request(50))).toMatchObject({next: 0, missed: 0})
  })
})
