import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {EXCHANGES, LATER_EXCHANGES} from '../../../src/lib/config/catalogue.ts'
import {configJsonSchema} from '../../../src/lib/config/schema.ts'
import {envName, fromText, listTargets} from '../../../src/lib/config/targets.ts'
import {EXCHANGE_IDS} from '../../../src/lib/exchanges/registry.ts'

const TREE = {
  groups: {majors: []},
  topics: {'web.event': {}},
  sinks: {store: {}},
  pipelines: [{name: 'krw', source: {}}, {name: 'usdt'}],
}

describe('listTargets', () => {
  const targets = listTargets(configJsonSchema(), TREE)

  it('gives every setting a variable of its own', () => {
    const names = targets.map(({env}) => env)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).toMatch(/^COINPIPE_[A-Z0-9]+(_[A-Z0-9]+)*$/)
  })

  it('reaches into maps and lists by name', () => {
    const displays = targets.map(({display}) => display)
    expect(displays).toEqual(
      expect.arrayContaining([
        'groups.majors',
        'topics.market.trade.pin.majors',
        'topics.web.event.partitions',
        'sinks.store.kind',
        'pipelines.usdt.source.symbols',
        'aggregate.candles.intervals',
      ]),
    )
  })
})

describe('envName', () => {
  it.each([
    ['serve.port', 'COINPIPE_SERVE_PORT'],
    ['spill.maxBytes', 'COINPIPE_SPILL_MAX_BYTES'],
    ['topics.market.trade.pin.upbit_producer1', 'COINPIPE_TOPICS_MARKET_TRADE_PIN_UPBIT_PRODUCER1'],
    ['pipelines.krw-spot.source.restUrl', 'COINPIPE_PIPELINES_KRW_SPOT_SOURCE_REST_URL'],
  ])('of %s', (path, expected) => expect(envName(path)).toBe(expected))
})

describe('fromText', () => {
  it('makes what the setting holds, and leaves what does not fit as text', () => {
    expect(fromText('true', {type: 'boolean'})).toBe(true)
    expect(fromText('yes', {type: 'boolean'})).toBe('yes')
    expect(fromText('8080', {type: 'integer'})).toBe(8080)
    expect(fromText('1e3', {type: 'integer'})).toBe('1e3')
    expect(fromText('1', {enum: [0, 1, 'all']})).toBe(1)
    expect(fromText('all', {enum: [0, 1, 'all']})).toBe('all')
    expect(fromText('a, b,', {type: 'array', items: {type: 'string'}})).toEqual(['a', 'b'])
  })

  it('reads back any whole number and list of names', () => {
    const readsBack = (text: string, type: string, value: unknown) => {
      expect(fromText(text, {type, items: {type: 'string'}})).toEqual(value)
    }
    fc.assert(fc.property(fc.maxSafeInteger(), (number) => readsBack(String(number), 'integer', number)))
    fc.assert(fc.property(fc.array(fc.stringMatching(/^[A-Z]{1,5}-KRW$/)), (list) => readsBack(list.join(','), 'array', list)))
  })
})

describe('the catalogue', () => {
  it('names the exchanges that there are', () => {
    expect([...EXCHANGES]).toEqual([...EXCHANGE_IDS])
    expect(LATER_EXCHANGES).not.toContain('upbit')
  })
})
