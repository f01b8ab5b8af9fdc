import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {describe, expect, it, onTestFinished} from 'vitest'
import {checkConfig} from '../../../src/lib/config/load.ts'
import {formatProblem} from '../../../src/lib/config/problem.ts'

async function check(yaml: string) {
  const folder = await mkdtemp(join(tmpdir(), 'coinpipe-config-'))
  onTestFinished(() => rm(folder, {recursive: true}))
  const path = join(folder, 'coinpipe.yaml')
  await writeFile(path, yaml)
  const result = await checkConfig({path, env: {}, flags: {}, defaultDataDir: '/data'})
  return {...result, lines: result.problems.map(formatProblem)}
}

describe('what acknowledgements on Kafka are worth', () => {
  it.each([
    ['acks all and min.insync 1', 'acks: all', '', 'bus.replicas: saw acks=all with min.insync.replicas 1 (market.trade'],
    [
      'acks all and min.insync as many as replicas',
      'acks: all',
      'topics: {market.book: {replicas: 3, minInsyncReplicas: 3}}',
      'topics.market.book.minInsyncReplicas: saw min.insync.replicas equal to the replicas (market.book)',
    ],
    [
      'durable with two replicas',
      'durable: true, replicas: 2',
      '',
      'bus.replicas: saw min.insync.replicas equal to the replicas (market.trade, market.book, market.ticker, market.candle)',
    ],
    [
      'unclean elections with acks all',
      'acks: all, replicas: 3',
      'topics: {market.trade: {uncleanLeaderElection: true}}',
      'topics.market.trade.uncleanLeaderElection: saw true, with acks: all, allowed false: it loses acknowledged records',
    ],
  ])('warns of %s', async (_, bus, topics, expected) => {
    const {lines, loaded} = await check(`version: 1\nbus: {kind: kafka, brokers: ["a:1"], ${bus}}\n${topics}`)
    expect(loaded).toBeDefined()
    expect(lines.find((line) => line.startsWith(expected))).toBeDefined()
  })

  it('has nothing to say of acks 1, nor of durable with its defaults, which are three replicas of which two are in sync', async () => {
    const unclean = 'topics: {market.trade: {uncleanLeaderElection: true}}'
    expect((await check(`version: 1\nbus: {kind: kafka, brokers: ["a:1"]}\n${unclean}`)).problems).toEqual([])
    const {problems, loaded} = await check('version: 1\nbus: {kind: kafka, brokers: ["a:1"], durable: true}')
    expect(problems).toEqual([])
    expect(loaded?.config.topics['market.trade']).toMatchObject({replicas: 3, settings: {'min.insync.replicas': '2'}})
  })

  it.each([
    [
      'more copies in sync than there are',
      'topics: {market.trade: {replicas: 2, minInsyncReplicas: 3}}',
      'topics.market.trade.minInsyncReplicas: saw min.insync.replicas 3, allowed 2 or fewer, as market.trade has 2 replicas',
    ],
    [
      'unclean elections of a durable topic',
      'topics: {market.trade: {uncleanLeaderElection: true}}',
      'topics.market.trade.uncleanLeaderElection: saw true, with durable: true',
    ],
  ])('refuses %s', async (_, topics, expected) => {
    const {lines, loaded} = await check(`version: 1\nbus: {kind: kafka, brokers: ["a:1"], durable: true}\n${topics}`)
    expect(loaded).toBeUndefined()
    expect(lines.find((line) => line.startsWith(expected))).toBeDefined()
  })
})
