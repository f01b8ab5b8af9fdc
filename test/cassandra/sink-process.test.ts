import {describe, expect, it} from 'vitest'
import {systemClock} from '../../src/lib/core/clock.ts'
import {encodeRecord} from '../../src/lib/core/codec.ts'
import {sinkDeadLetterTopic, TOPICS} from '../../src/lib/core/topics.ts'
import {seededRandom} from '../../src/lib/simulate/random.ts'
import {cassandraUnderTest, openSession, tablesForTest} from '../helpers/cassandra.ts'
import {CassandraScene, committedOf, EXACT, SINK_GROUP} from '../helpers/cassandra-scene.ts'
import {trade} from '../helpers/market-records.ts'
import {messagesOf, openSystem} from '../helpers/pipeline.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {storedTradeIds} from '../helpers/trade-rows.ts'
import {until} from '../helpers/until.ts'
import {Victim} from '../helpers/victim.ts'

const SEED = Number(process.env.COINPIPE_TEST_SEED ?? 20_261_121)
const KILLS = 10
const TRADES_PER_SECOND = 2000

const host = () => cassandraUnderTest().hosts[0] ?? ''

describe('sink cassandra', () => {
  it('sets aside what no table can hold, with why and where from, and writes the rest', async () => {
    const keyspace = await tablesForTest()
    const dataDir = await tempDir()
    const {system} = await openSystem(dataDir)
    const eventTime = systemClock.nowUs()
    const good = [trade('1', {eventTime}), trade('2', {eventTime, price: '0.000000000000000001'}), trade('3', {eventTime})]
    const values = [
      encodeRecord(good[0] ?? trade('1')),
      'not a record',
      JSON.stringify({...trade('4'), price: null}),
      encodeRecord(good[1] ?? trade('2')),
      encodeRecord(trade('5', {symbol: 'X'.repeat(70_000)})),
      encodeRecord(trade('6', {price: '0.0000000000000000001'})),
      encodeRecord(good[2] ?? trade('3')),
    ]
    await system.bus.publish(values.map((value) => ({topic: TOPICS.trade, partition: 0, key: 'upbit:BTC-KRW', value})))

    const where = ['--hosts', host(), '--keyspace', keyspace, '--set', 'sinks.cassandra.replicas=1']
    const sink = new Victim('sink', 'cassandra', '--topics', TOPICS.trade, '--data-dir', dataDir, ...where)
    await sink.start()
    await until('all offsets to be committed', async () => (await committedOf(system)) === values.length, 60_000).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}\n${sink.output}`)
      },
    )
    expect(await sink.stop()).toBe(0)

    const session = await openSession({keyspace})
    expect((await storedTradeIds(session, keyspace)).sort()).toEqual(good.map(({id}) => id))
    const letters = await messagesOf(system, sinkDeadLetterTopic(TOPICS.trade, SINK_GROUP))
    const shown = letters.map(({value, headers}) => ({
      value: String(value),
      code: headers['error-code'],
      from: `${headers['source-topic']} ${headers['source-partition']} ${headers['source-offset']}`,
    }))
    expect(shown.sort((a, b) => a.from.localeCompare(b.from))).toEqual([
      {value: values[1], code: 'COINPIPE_INVALID_RECORD', from: 'market.trade 0 1'},
      {value: values[2], code: 'COINPIPE_INVALID_RECORD', from: 'market.trade 0 2'},
      {value: values[4], code: 'COINPIPE_CASSANDRA_RECORD', from: 'market.trade 0 4'},
      {value: values[5], code: 'COINPIPE_CASSANDRA_RECORD', from: 'market.trade 0 5'},
    ])
    expect(letters.every(({headers}) => (headers['error-message'] ?? '') !== '' && headers.attempts === '1')).toBe(true)
  })

  it(`writes each trade once through ${KILLS} times kill -9 under load`, async () => {
    const scene = await CassandraScene.start({host: host(), replicas: 1, perSecond: TRADES_PER_SECOND})
    await scene.killSink(KILLS, seededRandom(SEED))
    const acknowledged = await scene.drain()
    await scene.stop()
    expect(await scene.judge(acknowledged)).toEqual({...EXACT, rows: acknowledged.size})
    console.log(`${acknowledged.size} trades, ${KILLS} kills of the sink`)
  }, 300_000)

  it('shares the partitions among the sinks of a group', async () => {
    const scene = await CassandraScene.start({host: host(), replicas: 1, perSecond: TRADES_PER_SECOND, sinks: 2})
    const shares = async () => (await scene.system.bus.describeGroup(SINK_GROUP)).members.map(({partitions}) => partitions.length)
    await until('both to have a share', async () => (await shares()).every((share) => share === 3) && (await shares()).length === 2, 30_000)
    await scene.goesOn(2 * TRADES_PER_SECOND)
    const acknowledged = await scene.drain()
    const sent = await Promise.all(scene.sinks.map((sink) => sink.stop().then((code) => ({code, output: sink.output}))))
    expect(sent.map(({code}) => code)).toEqual([0, 0])
    for (const {output} of sent) expect(output).toMatch(/cassandra: [1-9]\d* records in/)
    await scene.ingest.stop()
    expect(await scene.judge(acknowledged)).toEqual({...EXACT, rows: acknowledged.size})
  }, 180_000)
})
