import {describe, expect, it} from 'vitest'
import {frameDeadLetter, messageDeadLetter, recordDeadLetter} from '../../../src/lib/pipeline/dead-letter.ts'

const KIB_64 = 64 * 1024
const REFUSAL = {code: 'COINPIPE_TEST', message: 'why', attempts: 3}

describe('dead letters', () => {
  it('keep a frame as it came', () => {
    const rejected = {frame: Buffer.from([0, 255, 123]), code: 'COINPIPE_FRAME_MALFORMED', message: 'no JSON', receivedTime: 17}
    expect(frameDeadLetter('upbit', rejected)).toEqual({
      topic: 'ingest.upbit.dlq',
      key: 'upbit',
      value: Buffer.from([0, 255, 123]),
      headers: {
        'error-code': 'COINPIPE_FRAME_MALFORMED',
        'error-message': 'no JSON',
        attempts: '1',
        'frame-bytes': '3',
        'received-time': '17',
      },
    })
  })

  it.each([
    ['text', '가'.repeat(30_000), 90_000],
    ['bytes', Buffer.alloc(70_000, 1), 70_000],
  ])('keep the first 64 KiB of a long frame of %s, and its length', (_name, frame, bytes) => {
    const {value, headers} = frameDeadLetter('upbit', {frame, code: 'COINPIPE_FRAME_TOO_LARGE', message: '', receivedTime: 0})
    expect(value).toEqual(Buffer.from(frame as string).subarray(0, KIB_64))
    expect(headers?.['frame-bytes']).toBe(String(bytes))
  })

  it('keep what a message was, where it came from and why it is here', () => {
    const value = Buffer.from([1, 2, 3])
    const message = {topic: 'market.trade', partition: 4, offset: 99, key: 'k', value, headers: {trace: 'x'}, timestampMs: 1}
    expect(messageDeadLetter('sink.store', message, REFUSAL)).toEqual({
      topic: 'market.trade.sink.store.dlq',
      key: 'k',
      value,
      headers: {
        trace: 'x',
        'error-code': 'COINPIPE_TEST',
        'error-message': 'why',
        attempts: '3',
        'source-topic': 'market.trade',
        'source-partition': '4',
        'source-offset': '99',
      },
    })
  })

  it('keep the beginning of a record that the bus refuses, and its topic', () => {
    const record = {topic: 'market.trade', key: 'k', value: 'x'.repeat(KIB_64 + 1)}
    const letter = recordDeadLetter('upbit', record, {...REFUSAL, message: 'm'.repeat(5000)})
    expect(letter).toMatchObject({topic: 'ingest.upbit.dlq', headers: {'source-topic': 'market.trade', 'frame-bytes': String(KIB_64 + 1)}})
    expect(letter.value).toHaveLength(KIB_64)
    expect(letter.headers?.['error-message']).toHaveLength(1000)
    expect(recordDeadLetter('upbit', {...record, value: null}, REFUSAL)).toMatchObject({value: null, headers: {'frame-bytes': '0'}})
  })
})
