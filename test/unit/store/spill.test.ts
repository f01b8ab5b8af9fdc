import {appendFile, readdir, truncate, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {OutgoingRecord} from '../../../src/lib/core/ports/bus.ts'
import {decodeBatch, encodeBatch} from '../../../src/lib/store/spill/batch.ts'
import {Spill} from '../../../src/lib/store/spill/spill.ts'
import {testContext} from '../../helpers/context.ts'
import {tempDir} from '../../helpers/temp-dir.ts'
import {until} from '../../helpers/until.ts'

const MiB = 1024 * 1024

function batch(name: string, bytes = 10): OutgoingRecord[] {
  return [{topic: 'market.trade', key: name, value: name.padEnd(bytes, '.')}]
}

async function open(directory: string, maxBytes = 512 * MiB): Promise<Spill> {
  return Spill.open({directory, maxBytes}, testContext())
}

async function readAll(spill: Spill): Promise<(string | null)[]> {
  const keys: (string | null)[] = []
  for (let next = await spill.next(1); next; next = await spill.next(1)) {
    keys.push(...next.batches.flat().map(({key}) => key))
    await next.done()
  }
  return keys
}

describe('spill', () => {
  it('gives batches back in order, also across a restart in the middle', async () => {
    const directory = await tempDir()
    const first = await open(directory)
    for (const name of ['a', 'b', 'c']) await first.append(batch(name))
    const next = await first.next(1)
    expect(next?.batches[0]?.[0]?.key).toBe('a')
    await next?.done()
    await first.close()

    const second = await open(directory)
    await second.append(batch('d'))
    expect(await readAll(second)).toEqual(['b', 'c', 'd'])
    expect(second.isEmpty).toBe(true)
    await second.close()
  })

  it('repeats a batch that was read and not done', async () => {
    const directory = await tempDir()
    const first = await open(directory)
    await first.append(batch('a'))
    await first.next(1)
    await first.close()
    const second = await open(directory)
    expect(await readAll(second)).toEqual(['a'])
    await second.close()
  })

  it('gives several batches at once, still apart', async () => {
    const spill = await open(await tempDir())
    await Promise.all(['a', 'b', 'c'].map((name) => spill.append(batch(name))))
    const next = await spill.next(2)
    expect(next?.batches.map(([record]) => record?.key)).toEqual(['a', 'b'])
    await next?.done()
    expect(await readAll(spill)).toEqual(['c'])
    await spill.close()
  })

  it('makes what goes beyond its bytes wait until there is room, in order', async () => {
    const spill = await open(await tempDir(), 2000)
    await spill.append(batch('a', 1000))
    const later = [spill.append(batch('b', 1000)), spill.append(batch('c', 10))]
    await until('the second to wait', () => spill.isFull)
    const keys = await readAll(spill)
    await Promise.all(later)
    expect([...keys, ...(await readAll(spill))]).toEqual(['a', 'b', 'c'])
    await spill.close()
  })

  it('takes a batch larger than all its bytes when nothing else is there', async () => {
    const spill = await open(await tempDir(), 100)
    await spill.append(batch('a', 1000))
    expect(await readAll(spill)).toEqual(['a'])
    await spill.close()
  })

  it('says which batches did not get on disk when it is closed', async () => {
    const directory = await tempDir()
    const spill = await open(directory, 2000)
    await spill.append(batch('a', 1000))
    const refused = expect(spill.append(batch('b', 1000))).rejects.toMatchObject({code: 'COINPIPE_SPILL_FAILED'})
    await spill.close()
    await refused
    const again = await open(directory)
    expect(await readAll(again)).toEqual(['a'])
    await again.close()
  })

  it('cuts off a torn tail and goes on behind it', async () => {
    const directory = await tempDir()
    const first = await open(directory)
    await first.append(batch('a'))
    await first.append(batch('b'))
    await first.close()
    const [segment] = (await readdir(directory)).filter((name) => name.endsWith('.spill'))
    await truncate(join(directory, segment ?? ''), first.bytes - 3)
    const second = await open(directory)
    expect(await readAll(second)).toEqual(['a'])
    await second.append(batch('c'))
    expect(await readAll(second)).toEqual(['c'])
    await second.close()
  })

  it('cuts off a tail of noise', async () => {
    const directory = await tempDir()
    const first = await open(directory)
    await first.append(batch('a'))
    await first.close()
    const [segment] = (await readdir(directory)).filter((name) => name.endsWith('.spill'))
    await appendFile(join(directory, segment ?? ''), Buffer.alloc(100, 7))
    const second = await open(directory)
    expect(await readAll(second)).toEqual(['a'])
    await second.close()
  })

  it('rolls over segments and removes those that were read', async () => {
    const directory = await tempDir()
    const spill = await Spill.open({directory, maxBytes: MiB, segmentBytes: 2000}, testContext())
    for (let index = 0; index < 40; index += 1) await spill.append(batch(String(index), 500))
    const before = (await readdir(directory)).filter((name) => name.endsWith('.spill')).length
    expect(before).toBeGreaterThan(2)
    expect(await readAll(spill)).toEqual(Array.from({length: 40}, (_, index) => String(index)))
    const after = (await readdir(directory)).filter((name) => name.endsWith('.spill')).length
    expect(after).toBeLessThanOrEqual(1)
    await spill.close()
  })

  it('takes appends while it is being read', async () => {
    const spill = await open(await tempDir())
    const names = Array.from({length: 200}, (_, index) => String(index))
    const writing = Promise.all(names.map((name) => spill.append(batch(name))))
    const keys = await readAll(spill)
    await writing
    keys.push(...(await readAll(spill)))
    expect(keys).toEqual(names)
    await spill.close()
  })

  it('says which folder it cannot use', async () => {
    const file = join(await tempDir(), 'a-file')
    await writeFile(file, '')
    await expect(open(join(file, 'spill'))).rejects.toMatchObject({code: 'COINPIPE_SPILL_FAILED', message: expect.stringContaining(file)})
  })

  it('keeps every value exactly', () => {
    const record = fc.record(
      {
        topic: fc.string({minLength: 1}),
        partition: fc.nat(20),
        key: fc.option(fc.string({unit: 'binary'})),
        value: fc.oneof(fc.string({unit: 'binary'}), fc.constant(null)),
        headers: fc.dictionary(fc.string(), fc.string(), {noNullPrototype: true}),
      },
      {requiredKeys: ['topic', 'key', 'value']},
    )
    fc.assert(
      fc.property(fc.array(record), (records) => {
        expect(decodeBatch(encodeBatch(records as OutgoingRecord[]))).toEqual(records)
      }),
    )
    const bytes = [{topic: 't', key: null, value: new Uint8Array([0, 255, 128, 10])}]
    expect(decodeBatch(encodeBatch(bytes))).toEqual([{topic: 't', key: null, value: Buffer.from([0, 255, 128, 10])}])
  })
})
