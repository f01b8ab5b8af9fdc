import {describe, expect, it} from 'vitest'
import {FetchBuffer} from '../../../../src/lib/bus/kafka/fetch-buffer.ts'
import {endMarker, numberedBatch} from '../../../helpers/kafka-batches.ts'

const PLACE = {topic: 't', partition: 0}
const A = 1n
const B = 2n

function read(buffer: FetchBuffer, offset: number, {maxRecords = 100, maxBytes = 1e6, atLeastOne = true} = {}) {
  const result = buffer.read({...PLACE, offset, maxRecords, maxBytes, atLeastOne})
  return result === null ? null : {...result, messages: result.messages.map((message) => message.offset)}
}

describe('FetchBuffer', () => {
  it('hands out what came in, across batches, and says where to go on', () => {
    const buffer = new FetchBuffer(PLACE, 0)
    expect(read(buffer, 0)).toBeNull()
    buffer.add(Buffer.concat([numberedBatch(0, 3), numberedBatch(3, 3)]), [], true)
    expect(buffer.fetchOffset).toBe(6)
    expect(read(buffer, 0, {maxRecords: 4})).toMatchObject({messages: [0, 1, 2, 3], next: 4, more: true})
    expect(read(buffer, 4)).toMatchObject({messages: [4, 5], next: 6, more: false})
    expect(buffer.bytes).toBe(0)
    expect(read(buffer, 6)).toBeNull()
  })

  it('leaves a record for later that is beyond the bytes asked for', () => {
    const buffer = new FetchBuffer(PLACE, 10)
    buffer.add(numberedBatch(10, 3), [], true)
    expect(read(buffer, 10, {maxBytes: 1, atLeastOne: false})).toBeNull()
    expect(read(buffer, 10, {maxBytes: 1})).toMatchObject({messages: [10], next: 11, more: true})
  })

  it('takes in once what is fetched twice', () => {
    const buffer = new FetchBuffer(PLACE, 0)
    buffer.add(numberedBatch(0, 3), [], true)
    buffer.add(numberedBatch(0, 3), [], true)
    expect(read(buffer, 0)).toMatchObject({messages: [0, 1, 2]})
  })

  it('shows nothing of a transaction that was aborted, and all of one that was not, however they are mixed', () => {
    const log = Buffer.concat([
      numberedBatch(0, 2, {producerId: A}),
      numberedBatch(2, 2, {producerId: B}),
      numberedBatch(4, 1),
      endMarker(5, A, 'abort'),
      numberedBatch(6, 2, {producerId: A}),
      endMarker(8, B, 'commit'),
      endMarker(9, A, 'commit'),
    ])
    const aborted = [{producerId: A, firstOffset: 0}]
    const committed = new FetchBuffer(PLACE, 0)
    committed.add(log, aborted, true)
    expect(read(committed, 0)).toMatchObject({messages: [2, 3, 4, 6, 7], next: 10})
    const uncommitted = new FetchBuffer(PLACE, 0)
    uncommitted.add(log, aborted, false)
    expect(read(uncommitted, 0)).toMatchObject({messages: [0, 1, 2, 3, 4, 6, 7], next: 10})
  })

  it('goes on behind what is left out, also where nothing else came in', () => {
    const buffer = new FetchBuffer(PLACE, 0)
    buffer.add(Buffer.concat([numberedBatch(0, 2, {producerId: A}), endMarker(2, A, 'abort')]), [{producerId: A, firstOffset: 0}], true)
    expect(read(buffer, 0)).toMatchObject({messages: [], next: 3})
    buffer.add(numberedBatch(3, 1), [], true)
    expect(read(buffer, 3)).toMatchObject({messages: [3], next: 4})
  })

  it('drops what it has when it is read from elsewhere', () => {
    const buffer = new FetchBuffer(PLACE, 0)
    buffer.add(numberedBatch(0, 4), [], true)
    read(buffer, 0, {maxRecords: 2})
    const {epoch} = buffer
    buffer.seek(1)
    expect(buffer).toMatchObject({expected: 1, fetchOffset: 1, bytes: 0, epoch: epoch + 1})
    buffer.add(numberedBatch(0, 4), [], true)
    expect(read(buffer, 1)).toMatchObject({messages: [1, 2, 3]})
  })

  it('tells how many records retention removed', () => {
    const buffer = new FetchBuffer(PLACE, 5)
    buffer.jump(8)
    expect(buffer.expected).toBe(5)
    expect(read(buffer, 5)).toMatchObject({messages: [], next: 8, missed: 3})
    expect(read(buffer, 8)).toBeNull()
  })

  it('goes back to the beginning of a log that was begun anew, of which nothing is missed', () => {
    const buffer = new FetchBuffer(PLACE, 500)
    buffer.jump(0)
    buffer.add(numberedBatch(0, 1), [], true)
    expect(read(buffer, 500)).toMatchObject({messages: [0], next: 1, missed: 0})
  })
})
