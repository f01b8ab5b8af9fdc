import {beforeEach, describe, expect, it, onTestFinished} from 'vitest'
import {systemClock} from '../../src/lib/core/clock.ts'
import {CassandraScene, EXACT} from '../helpers/cassandra-scene.ts'
import {emptyBus} from '../helpers/empty-bus.ts'
import {openSystem} from '../helpers/pipeline.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {testbed} from '../helpers/testbed.ts'

const RATE = 1000
const PAUSE_MS = 15_000
/** COINPIPE_TEST_OUTAGE_S=60 for the whole minute. */
const OUTAGE_MS = Number(process.env.COINPIPE_TEST_OUTAGE_S ?? 20) * 1000
const BACK_MS = 240_000
const LATENCY_MS = 300
const SLOW_MS = 10_000
const MOST_MIB = 700
/** A node that does not answer is found out by a request that runs into its timeout. */
const MOST_STALL_MS = 20_000

const CASSANDRA = {cluster: 'cassandra'} as const

beforeEach(async () => {
  const {system} = await openSystem(await tempDir(), {bus: {kind: 'kafka', brokers: testbed().brokers}})
  await emptyBus(system.bus)
}, 60_000)

async function scene() {
  const {hosts, brokers} = testbed()
  const running = await CassandraScene.start({host: hosts[0] ?? '', replicas: 2, perSecond: RATE, bus: {kind: 'kafka', brokers}})
  const memory = running.watchMemory()
  const expectExact = async (what: string) => {
    const acknowledged = await running.drain()
    const {said} = running
    await running.stop()
    expect(await running.judge(acknowledged)).toEqual({...EXACT, rows: acknowledged.size})
    expect(memory()).toBeLessThan(MOST_MIB)
    console.log(`${acknowledged.size} trades; ${what}; the sink held ${memory()} MiB at most and said: ${said || 'nothing'}`)
    return said
  }
  return {running, expectExact}
}

describe('nothing acknowledged is lost', () => {
  it('while one node is paused: the others go on', async () => {
    const {service} = testbed()
    const {running, expectExact} = await scene()
    onTestFinished(() => service.kill('cassandra-2', 'CONT', CASSANDRA).then(() => undefined))
    const stalledMs = await running.stallDuring(async () => {
      const pausedMs = performance.now()
      await service.kill('cassandra-2', 'STOP', CASSANDRA)
      await running.goesOn(5 * RATE)
      await systemClock.sleep(Math.max(0, PAUSE_MS - (performance.now() - pausedMs)))
      await service.kill('cassandra-2', 'CONT', CASSANDRA)
    })
    await running.goesOn(RATE)
    await expectExact(`longest stall ${stalledMs} ms while a node was paused`)
    expect(stalledMs).toBeLessThan(MOST_STALL_MS)
  }, 300_000)

  it('while one node is slow: the rest of the path goes on', async () => {
    const {toxiproxy} = testbed()
    const {running, expectExact} = await scene()
    const toxics = `http://${toxiproxy}/proxies/cassandra-2/toxics`
    const toxic = {name: 'slow', type: 'latency', attributes: {latency: LATENCY_MS}}
    const added = await fetch(toxics, {method: 'POST', body: JSON.stringify(toxic)})
    expect(added.status).toBe(200)
    onTestFinished(() => fetch(`${toxics}/slow`, {method: 'DELETE'}).then(() => undefined))
    const [before, startedMs] = [await running.committed(), performance.now()]
    const stalledMs = await running.stallDuring(() => systemClock.sleep(SLOW_MS))
    const perSecond = Math.round(((await running.committed()) - before) / ((performance.now() - startedMs) / 1000))
    const said = await expectExact(
      `${perSecond} rows/s and a longest stall of ${stalledMs} ms with ${LATENCY_MS} ms before a node's answers`,
    )
    expect(said).toBe('')
    expect(stalledMs).toBeLessThan(MOST_STALL_MS)
  }, 300_000)

  it(`while all nodes are down for ${OUTAGE_MS / 1000} s: the sink says so, waits and goes on`, async () => {
    const {service, hosts} = testbed()
    const {running, expectExact} = await scene()
    for (const at of hosts.keys()) await service.kill(`cassandra-${at + 1}`, 'KILL', CASSANDRA)
    const downMs = performance.now()
    await systemClock.sleep(OUTAGE_MS)
    await Promise.all(hosts.map((_, at) => service.start(`cassandra-${at + 1}`, {...CASSANDRA, timeoutMs: BACK_MS})))
    const backMs = performance.now()
    await running.goesOn(1)
    const wentOnMs = Math.round(performance.now() - backMs)
    const said = await expectExact(`all nodes were away for ${Math.round(backMs - downMs)} ms, writes went on after ${wentOnMs} ms more`)
    expect(said.trim().split('\n')).toEqual([expect.stringMatching(/COINPIPE_CASSANDRA_UNREACHABLE.*cannot write; trying until it can/)])
  }, 480_000)
})
