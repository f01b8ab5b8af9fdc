import {describe, expect, it} from 'vitest'
import type {NodeProcess} from '../../../src/lib/cluster/driver.ts'
import type {NodeHealth} from '../../../src/lib/cluster/health.ts'
import {makePlan, type PlanOptions} from '../../../src/lib/cluster/make-plan.ts'
import {type ClusterStatus, describeCluster} from '../../../src/lib/cluster/status.ts'

const RUNS: NodeProcess = {pid: 7, startedAtMs: 1000, rssBytes: 2048, paused: false}
const WELL: NodeHealth = {serving: true, active: false, problem: null}

function statusOf(
  processes: Readonly<Record<string, NodeProcess>>,
  health: Readonly<Record<string, NodeHealth>>,
  options: PlanOptions = {kind: 'kafka', nodes: 2},
): ClusterStatus {
  const stopped = Object.keys(processes).length === 0
  return describeCluster({
    plan: makePlan(options),
    folder: '/x',
    stopped,
    processes: new Map(Object.entries(processes)),
    health: new Map(Object.entries(health)),
    nowMs: 3500,
  })
}

describe('describeCluster', () => {
  it('says what runs, for how long, and who is the controller', () => {
    const status = statusOf({'kafka-1': RUNS, 'kafka-2': RUNS}, {'kafka-1': WELL, 'kafka-2': {...WELL, active: true}})
    expect(status).toMatchObject({state: 'whole', problems: [], brokers: ['127.0.0.21:9092', '127.0.0.22:9092'], toxiproxy: null})
    expect(status.nodes[1]).toEqual({
      id: 'kafka-2',
      roles: ['broker'],
      address: '127.0.0.22:9092',
      state: 'up',
      pid: 7,
      uptimeMs: 2500,
      rssBytes: 2048,
      active: true,
    })
  })

  it('tells a half-dead cluster from one that was taken down', () => {
    const broken = statusOf({'kafka-1': RUNS}, {'kafka-1': WELL})
    expect(broken).toMatchObject({state: 'broken', problems: ['kafka-2 is down']})
    expect(statusOf({}, {})).toMatchObject({state: 'stopped', problems: []})
  })

  it('tells nodes that are paused or still starting', () => {
    const health = {'kafka-2': {serving: false, active: false, problem: 'kafka-2 is not registered yet'}}
    const status = statusOf({'kafka-1': {...RUNS, paused: true}, 'kafka-2': RUNS}, health)
    expect(status.nodes.map(({state}) => state)).toEqual(['paused', 'starting'])
    expect(status.problems).toEqual(['kafka-1 is paused', 'kafka-2 is not registered yet'])
  })

  it('gives clients of Cassandra the addresses to begin with', () => {
    expect(statusOf({}, {}, {kind: 'cassandra', nodes: 1})).toMatchObject({
      brokers: [],
      contactPoints: ['127.0.0.11:9042'],
      toxiproxy: null,
    })
    expect(statusOf({}, {}, {kind: 'cassandra', nodes: 1, proxy: true})).toMatchObject({
      contactPoints: ['127.0.1.11:9042'],
      toxiproxy: '127.0.0.10:8474',
    })
  })

  it('gives clients the addresses behind Toxiproxy, where there is one', () => {
    const status = statusOf({}, {}, {kind: 'kafka', nodes: 1, proxy: true, security: {user: 'joe', password: 'secret', tls: true}})
    expect(status).toMatchObject({
      brokers: ['127.0.0.21:9097'],
      toxiproxy: '127.0.0.20:8474',
      certificate: '/x/tls/ca.pem',
      listeners: {
        PLAINTEXT: ['127.0.0.21:9092'],
        PROXIED: ['127.0.0.21:9097'],
        SASL_PLAINTEXT: ['127.0.0.21:9094'],
        SSL: ['127.0.0.21:9095'],
      },
    })
  })
})
