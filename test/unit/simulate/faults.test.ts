import {describe, expect, it} from 'vitest'
import {type Fault, parseFaults} from '../../../src/lib/simulate/faults.ts'

describe('parseFaults', () => {
  it.each<[string, Fault, number]>([
    ['drop', {kind: 'drop', code: null}, 0],
    ['drop=1011@10s', {kind: 'drop', code: 1011}, 10_000],
    ['stall@20s:3s', {kind: 'stall', forMs: 3000}, 20_000],
    ['freeze:1s', {kind: 'freeze', forMs: 1000}, 0],
    ['hang:250ms', {kind: 'hang', forMs: 250}, 0],
    ['refuse@1m:2s', {kind: 'refuse', forMs: 2000}, 60_000],
    ['skip=50@5s', {kind: 'skip', count: 50}, 5000],
    ['duplicate=7', {kind: 'duplicate', count: 7}, 0],
    ['garbage=nan', {kind: 'garbage', what: 'nan'}, 0],
    ['error=INVALID_PARAM@1s', {kind: 'error', name: 'INVALID_PARAM'}, 1000],
    ['rest=418', {kind: 'rest', status: 418, count: 1}, 0],
    ['rest=429x10@5s', {kind: 'rest', status: 429, count: 10}, 5000],
    ['slow=500msx3', {kind: 'slow', delayMs: 500, count: 3}, 0],
  ])('reads %s', (text, fault, atMs) => {
    expect(parseFaults(text)).toEqual([{fault, atMs}])
  })

  it('reads a list', () => {
    expect(parseFaults('drop@10s, stall@20s:3s').map(({fault}) => fault.kind)).toEqual(['drop', 'stall'])
  })

  it.each([
    '',
    'dorp',
    'drop=99',
    'drop=1006',
    'drop:3s',
    'stall',
    'stall=3s',
    'stall:soon',
    'skip',
    'skip=0',
    'skip=x',
    'garbage',
    'garbage=other',
    'error',
    'error=lower',
    'rest=200',
    'rest=429x',
    'slow=500',
    'drop@later',
    'drop,,skip=1',
    'constructor',
  ])('refuses %o with a remedy', (text) => {
    expect(() => parseFaults(text)).toThrow(expect.objectContaining({code: 'COINPIPE_INVALID_INPUT'}))
  })

  it('shows how a fault is written', () => {
    try {
      parseFaults('stall=3s')
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({remedy: [expect.stringContaining('stall:3s')]})
    }
  })
})
