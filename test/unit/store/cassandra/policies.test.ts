import {EventEmitter} from 'node:events'
import cassandra from 'cassandra-driver'
import {describe, expect, it} from 'vitest'
import {policiesOf} from '../../../../src/lib/store/cassandra/policies.ts'
import {testContext} from '../../../helpers/context.ts'
import {FakeClock} from '../../../helpers/fake-clock.ts'

type Host = cassandra.Host

const EXECUTION = null as unknown as cassandra.ExecutionOptions

function host(address: string, datacenter = 'dc1') {
  return {address, datacenter, inFlight: 0, getInFlight: () => 0} as unknown as Host
}

const [A, B, C, FAR] = [host('a'), host('b'), host('c'), host('far', 'dc2')] as const

/** The policies of a cluster of three nodes and one far away; replicas are `b` and `c`. */
function scene(speculativeMs: number | null = null) {
  const clock = new FakeClock()
  const {policies, requestTracker} = policiesOf(
    cassandra,
    {localDatacenter: 'dc1', speculativeMs},
    {...testContext(), clock, random: () => 0.5},
  )
  const hosts = Object.assign(new EventEmitter(), {values: () => [A, B, C, FAR]}) as unknown as cassandra.HostMap
  const client = {getReplicas: () => [B, C, FAR], options: {localDataCenter: 'dc1'}} as unknown as cassandra.Client
  policies?.loadBalancing?.init(client, hosts, (error?: Error) => expect(error).toBeUndefined())
  const plan = (routingKey?: Buffer) => {
    const options = {getKeyspace: () => 'k', getRoutingKey: () => routingKey} as unknown as cassandra.ExecutionOptions
    const found: string[] = []
    policies?.loadBalancing?.newQueryPlan('k', options, (_, nodes) => {
      for (let next = nodes.next(); !next.done; next = nodes.next()) found.push(next.value.address)
    })
    return found.join('')
  }
  const timeOut = (node: Host) =>
    requestTracker?.onError(node, '', null, EXECUTION, 0, new cassandra.errors.OperationTimedOutError('late'), [3, 0])
  const answerWith = (node: Host, code: number) =>
    requestTracker?.onError(node, '', null, EXECUTION, 0, new cassandra.errors.ResponseError(code, 'no'), [0, 1e6])
  return {clock, policies, plan, timeOut, answerWith}
}

const KEY = Buffer.from('key')
/** Of the driver. */
const [RETHROW, RETRY] = [0, 1]

describe('how nodes are chosen', () => {
  it('asks replicas of the local data centre first, then the others, and none elsewhere', () => {
    const {plan} = scene()
    expect(plan(KEY)).toBe('bca')
    expect([...plan()].sort().join('')).toBe('abc')
  })

  it('asks a replica that timed out last, for some seconds', () => {
    const {plan, timeOut, clock} = scene()
    timeOut(B)
    expect(plan(KEY)).toBe('cab')
    clock.advance(3000)
    expect(plan(KEY)).toBe('bca')
  })

  it('avoids a node that has too much to do, and none that refuses a request for what it is', () => {
    const {plan, answerWith} = scene()
    answerWith(C, cassandra.types.responseErrorCodes.invalid)
    expect(plan(KEY)).toBe('bca')
    answerWith(B, cassandra.types.responseErrorCodes.overloaded)
    expect(plan(KEY)).toBe('cab')
  })

  it('asks the next node once where replicas did not answer in time', () => {
    const {policies} = scene()
    const info = (nbRetry: number) => ({nbRetry, query: '', executionOptions: EXECUTION})
    const decide = (nbRetry: number) => policies?.retry?.onWriteTimeout(info(nbRetry), 1, 0, 1, 'UNLOGGED_BATCH')
    expect(decide(0)).toMatchObject({decision: RETRY, useCurrentHost: false})
    expect(decide(1)).toMatchObject({decision: RETHROW})
  })

  it('asks a second node before the first one answers only where that is asked for', () => {
    const next = (speculativeMs: number | null) => scene(speculativeMs).policies?.speculativeExecution?.newPlan('k', '').nextExecution(A)
    expect(next(null)).toBe(-1)
    expect(next(120)).toBe(120)
  })
})
