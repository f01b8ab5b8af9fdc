import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import fc from 'fast-check'
import {afterAll, describe, expect, it} from 'vitest'
import {stringify} from 'yaml'
import {effectiveTree} from '../../../src/lib/config/effective.ts'
import {checkConfig} from '../../../src/lib/config/load.ts'
import {getIn, setIn, type Tree} from '../../../src/lib/config/path.ts'
import {configJsonSchema} from '../../../src/lib/config/schema.ts'
import {listTargets} from '../../../src/lib/config/targets.ts'

const folder = mkdtempSync(join(tmpdir(), 'coinpipe-config-fuzz-'))
const path = join(folder, 'coinpipe.yaml')
afterAll(() => rmSync(folder, {recursive: true}))

const GOOD: Tree = {
  version: 1,
  groups: {majors: ['BTC-KRW', 'ETH-KRW']},
  topics: {'market.trade': {partitions: 6, retention: '24h', retentionBytes: '1GiB', pin: {majors: 0}}},
  sinks: {store: {kind: 'store', retention: {trades: '2h', candles: {'1m': '1d'}}}},
  pipelines: [
    {
      name: 'krw',
      source: {kind: 'exchange', exchange: 'upbit', channels: ['trade', 'book'], symbols: ['BTC-KRW', 'XRP-KRW'], depth: 15},
      topics: ['market.trade'],
      sinks: ['store'],
    },
    {name: 'all', source: {kind: 'exchange', exchange: 'upbit', channels: ['ticker'], symbols: ['all'], quotes: ['KRW']}, sinks: []},
  ],
  spill: {maxBytes: '64MiB'},
}

async function check(tree: unknown) {
  writeFileSync(path, stringify(tree))
  return checkConfig({path, env: {}, defaultDataDir: folder})
}

const anything = fc.oneof(fc.jsonValue({maxDepth: 2}), fc.constantFrom('', '0', -1, 1e9, `\${X}`, '__proto__', 'all', 'KRW-BTC', '5 s'))

/** Every place in the good file: its maps and lists too. */
function places(node: unknown, at: (string | number)[]): (string | number)[][] {
  if (typeof node !== 'object' || node === null) return [at]
  const keys = Array.isArray(node) ? [...node.keys()] : Object.keys(node)
  return [at, ...keys.flatMap((key) => places(getIn(node, [key]), [...at, key]))]
}

describe('any config', () => {
  it('is answered with problems or a config, whatever stands where', async () => {
    const somewhere = fc.constantFrom(...places(GOOD, []).slice(1))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(somewhere, anything), {minLength: 1, maxLength: 4}), async (changes) => {
        const tree = structuredClone(GOOD)
        for (const [place, value] of changes) setIn(tree, place, value)
        const {problems, loaded} = await check(tree)
        expect(loaded === undefined).toBe(problems.some(({severity}) => severity === 'error'))
        for (const {path: where, saw, allowed} of problems) expect([where, saw, allowed]).not.toContain('')
      }),
      {numRuns: 60},
    )
  })

  it('reads back what is in force as the same config', async () => {
    const first = await check(GOOD)
    expect(first.problems).toEqual([])
    const tree = first.loaded ? effectiveTree(first.loaded.config) : {}
    const second = await check(tree)
    expect(second.problems).toEqual([])
    expect(second.loaded?.config).toEqual(first.loaded?.config)
  })

  it('takes every setting that it shows from a variable', async () => {
    const {loaded} = await check(GOOD)
    const shown = new Set(loaded?.settings.map(({display}) => display))
    const targets = listTargets(configJsonSchema(), GOOD)
    const unreachable = [...shown].filter((display) => !targets.some((target) => target.display === display))
    expect(unreachable).toEqual([])
  })
})
