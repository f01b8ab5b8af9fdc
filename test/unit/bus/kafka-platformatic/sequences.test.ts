import {describe, expect, it} from 'vitest'
import type {PartitionBatch} from '../../../../src/lib/bus/kafka/driver.ts'
import {nextSequence, type ProducerIdentity, Sequences} from '../../../../src/lib/bus/kafka-platformatic/sequences.ts'

function batch(records: number, partition = 0): PartitionBatch {
  return {
    topic: 't',
    partition,
    compression: 'none',
    records: Array.from({length: records}, () => ({topic: 't', key: null, value: 'x'})),
  }
}

/** Each identity has another producer id. */
function sequences(): Sequences {
  let last = 0n
  return new Sequences(async (): Promise<ProducerIdentity> => ({producerId: ++last, producerEpoch: 0}))
}

describe('sequences', () => {
  it('number the batches of each partition without holes', async () => {
    const numbers = sequences()
    const [first, second, elsewhere] = [batch(3), batch(2), batch(5, 1)]
    expect(await numbers.stamp(first)).toMatchObject({producerId: 1n, baseSequence: 0})
    numbers.settle(first, 'written')
    expect(await numbers.stamp(second)).toMatchObject({producerId: 1n, baseSequence: 3})
    expect(await numbers.stamp(elsewhere)).toMatchObject({producerId: 1n, baseSequence: 0})
  })

  it('keep the number of a batch that is sent again, whatever became of it before', async () => {
    for (const settled of ['refused', 'unknown'] as const) {
      const numbers = sequences()
      const again = batch(3)
      await numbers.stamp(again)
      expect(numbers.settle(again, settled)).toBe(true)
      expect(await numbers.stamp(again)).toMatchObject({producerId: 1n, baseSequence: 0})
      numbers.settle(again, 'written')
      expect(await numbers.stamp(batch(1))).toMatchObject({producerId: 1n, baseSequence: 3})
    }
  })

  it('give the number of a batch that was refused to the next one', async () => {
    const numbers = sequences()
    const refused = batch(3)
    await numbers.stamp(refused)
    numbers.settle(refused, 'refused')
    expect(await numbers.stamp(batch(2))).toMatchObject({producerId: 1n, baseSequence: 0})
  })

  it('begin anew behind a batch that was given up and may be in the log, refused later or not', async () => {
    for (const later of [[], ['refused']] as const) {
      const numbers = sequences()
      const lost = batch(3)
      await numbers.stamp(lost)
      for (const settled of ['unknown', ...later] as const) numbers.settle(lost, settled)
      expect(await numbers.stamp(batch(2))).toMatchObject({producerId: 2n, baseSequence: 0})
      expect(await numbers.stamp(batch(2, 1))).toMatchObject({producerId: 2n, baseSequence: 0})
    }
  })

  it('begin anew where the brokers lost the producer, and say whether the batch may be sent again', async () => {
    const numbers = sequences()
    const sure = batch(3)
    await numbers.stamp(sure)
    expect(numbers.settle(sure, 'lost')).toBe(true)
    expect(await numbers.stamp(sure)).toMatchObject({producerId: 2n, baseSequence: 0})
    numbers.settle(sure, 'unknown')
    expect(numbers.settle(sure, 'lost')).toBe(false)
  })

  it('leave partitions with a batch under way under their id when another one begins anew', async () => {
    const numbers = sequences()
    const [lost, underWay] = [batch(3), batch(3, 1)]
    await numbers.stamp(lost)
    await numbers.stamp(underWay)
    numbers.settle(underWay, 'unknown')
    numbers.settle(lost, 'lost')
    expect(await numbers.stamp(lost)).toMatchObject({producerId: 2n})
    expect(await numbers.stamp(underWay)).toMatchObject({producerId: 1n, baseSequence: 0})
  })

  it('ask for an id again where the first try failed', async () => {
    let tries = 0
    const numbers = new Sequences(async () => {
      tries += 1
      if (tries === 1) throw new Error('no broker')
      return {producerId: 7n, producerEpoch: 0}
    })
    const one = batch(1)
    await expect(numbers.stamp(one)).rejects.toThrow('no broker')
    expect(await numbers.stamp(one)).toMatchObject({producerId: 7n, baseSequence: 0})
  })

  it('begin again at zero after 2^31 - 1', () => {
    expect(nextSequence(2 ** 31 - 3, 2)).toBe(2 ** 31 - 1)
    expect(nextSequence(2 ** 31 - 3, 5)).toBe(2)
  })
})
