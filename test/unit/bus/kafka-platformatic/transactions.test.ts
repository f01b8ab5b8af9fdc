import {describe, expect, it} from 'vitest'
import {unreachable} from '../../../../src/lib/bus/kafka/errors.ts'
import {Committer} from '../../../../src/lib/bus/kafka-platformatic/committer.ts'
import {GroupMembers} from '../../../../src/lib/bus/kafka-platformatic/group-members.ts'
import {Holdings} from '../../../../src/lib/bus/kafka-platformatic/holdings.ts'
import {Transactions} from '../../../../src/lib/bus/kafka-platformatic/transactions.ts'
import {FencedError} from '../../../../src/lib/core/errors.ts'
import {testContext} from '../../../helpers/context.ts'
import {FakeClock} from '../../../helpers/fake-clock.ts'

const IDENTITY = {group: 'g', memberId: 'm', generation: 1, instanceId: null}
const PARTITION = {topic: 't', partition: 0}

/** One member with one partition, which it began to read at offset 5, and a coordinator that does what `answer` says. */
function scene(answer: (api: string, args: readonly unknown[]) => unknown = () => undefined) {
  const {logger} = testContext()
  const clock = new FakeClock()
  const calls: string[] = []
  const client = {
    call: async <Response>(_target: unknown, api: string | {readonly version: number}, args: readonly unknown[]): Promise<Response> => {
      const name = typeof api === 'string' ? api : 'AddPartitionsToTxn'
      calls.push(name === 'EndTxn' ? `EndTxn ${args.at(-1)}` : name)
      return (answer(name, args) ?? {producerId: 1n, producerEpoch: 0}) as Response
    },
  }
  const holdings = new Holdings('g')
  holdings.assign([PARTITION], 0)
  holdings.start(PARTITION, {committed: 5, earliest: 0})
  const members = new GroupMembers()
  const member = {identity: IDENTITY, settled: async () => undefined}
  members.add('m', new Committer({client, clock, holdings, member, timeoutMs: 1_000}))
  const writer = {write: async () => []}
  const options = {transactionTimeoutMs: 60_000, deliveryTimeoutMs: 1_000}
  const transactions = new Transactions({client, writer, members, options, clock, logger})
  const commit = async (offset: number, epoch = 1) => {
    const commits = [{group: 'g', memberId: 'm', positions: [{...PARTITION, epoch, offset}]}]
    await transactions.commit({id: 'x', epoch: await transactions.start('x'), records: [], bytes: 0, commits}, [])
  }
  return {commit, holdings, calls}
}

const lost = () => unreachable('commit', ['nowhere:1'])

describe('Transactions', () => {
  it('have what they committed known to the member, which goes on from there when it is granted anew', async () => {
    const {commit, holdings} = scene()
    await commit(9)
    expect(holdings.grants).toMatchObject([{committed: 9}])
  })

  it('leave a member where it was when they are given up', async () => {
    const {commit, holdings, calls} = scene((api) => {
      if (api === 'TxnOffsetCommit') throw lost()
    })
    await expect(commit(9)).rejects.toThrow('no answer')
    expect(holdings.grants).toMatchObject([{committed: 5, epoch: 1}])
    expect(calls).toContain('EndTxn false')
  })

  it('have the member look its place up where nobody said whether they were committed', async () => {
    const {commit, holdings, calls} = scene((api, args) => {
      if (api === 'EndTxn' && args.at(-1) === true) throw lost()
    })
    await expect(commit(9)).rejects.toThrow('no answer')
    expect(holdings.grants).toEqual([])
    expect(holdings.unstarted).toMatchObject([PARTITION])
    // What was read before that may be in the log already, and cannot be committed once more.
    const ends = calls.length
    await expect(commit(9)).rejects.toBeInstanceOf(FencedError)
    expect(calls.slice(ends)).not.toContain('EndTxn true')
  })
})
