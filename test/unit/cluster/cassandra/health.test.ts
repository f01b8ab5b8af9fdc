import {describe, expect, it} from 'vitest'
import {type Asked, judgeNodes} from '../../../../src/lib/cluster/cassandra/health.ts'
import type {Sight} from '../../../../src/lib/cluster/cassandra/view.ts'
import {makePlan} from '../../../../src/lib/cluster/make-plan.ts'

const {nodes} = makePlan({kind: 'cassandra', nodes: 3})
const [first, second, third] = nodes.map(({host}) => host) as [string, string, string]

function sees(sights: Readonly<Record<string, Sight>>, schemaVersion = 'v1'): Asked {
  return {schemaVersion, sights: new Map(Object.entries(sights))}
}

const WELL: Readonly<Record<string, Asked>> = {
  'cassandra-1': sees({[second]: 'up', [third]: 'up'}),
  'cassandra-2': sees({[first]: 'up', [third]: 'up'}),
  'cassandra-3': sees({[first]: 'up', [second]: 'up'}),
}

function problems(changed: Readonly<Record<string, Asked>>): (string | null | undefined)[] {
  const health = judgeNodes(nodes, new Map(Object.entries({...WELL, ...changed})))
  return nodes.map(({id}) => health.get(id)?.problem)
}

describe('judgeNodes', () => {
  it('finds nothing wrong where each sees all others up, with the same tables', () => {
    expect(problems({})).toEqual([null, null, null])
    expect(judgeNodes(nodes.slice(0, 1), new Map([['cassandra-1', sees({})]])).get('cassandra-1')).toEqual({
      serving: true,
      active: false,
      problem: null,
    })
  })

  it('blames both where one does not see the other, so that a node is whole only once the others see it', () => {
    const one = 'cassandra-2 does not see cassandra-3 up'
    expect(problems({'cassandra-2': sees({[first]: 'up', [third]: 'down'})})).toEqual([null, one, one])
  })

  it.each([
    ['no answer', 'cassandra-1 gets no answer from cassandra-2'],
    ['joining', 'cassandra-1 waits for cassandra-2 to join'],
    ['unknown', 'cassandra-1 does not know cassandra-2 yet'],
  ] as const)('says what it is where the other is: %s', (sight, problem) => {
    expect(problems({'cassandra-1': sees({[second]: sight, [third]: 'up'})})[0]).toBe(problem)
  })

  it('tells a node that does not serve yet from one that does not answer', () => {
    expect(problems({'cassandra-1': false, 'cassandra-2': true, 'cassandra-3': true})).toEqual([
      'cassandra-1 does not serve CQL yet',
      null,
      null,
    ])
    expect(problems({'cassandra-1': new Error('connect ECONNREFUSED')})[0]).toBe('cassandra-1 does not answer: connect ECONNREFUSED')
  })

  it('waits until all have the same tables', () => {
    const problem = 'cassandra-2 and cassandra-3 do not agree on the tables yet'
    const [, ofSecond, ofThird] = problems({'cassandra-3': sees({[first]: 'up', [second]: 'up'}, 'v2'), 'cassandra-1': false})
    expect([ofSecond, ofThird]).toEqual([problem, problem])
  })
})
