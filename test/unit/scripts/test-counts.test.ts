import {describe, expect, it} from 'vitest'
import {countTests} from '../../../scripts/test-counts.ts'

const result = (...statuses: string[]) => ({
  testResults: [{assertionResults: statuses.map((status, i) => ({status, fullName: `${status} ${i}`}))}],
})

describe('countTests', () => {
  it('counts what vitest reports', () => {
    expect(countTests(result('passed', 'failed', 'passed', 'skipped', 'todo'), {status: 1})).toEqual({
      passed: 2,
      failed: 1,
      skipped: ['skipped 3', 'todo 4'],
    })
  })

  it.each([
    ['a crash before any result', null, {status: null, signal: 'SIGKILL'}, 'failed outside its tests: SIGKILL'],
    ['an unhandled error', result('passed'), {status: 1}, 'failed outside its tests: exit code 1'],
    ['no test file', result(), {status: 0}, 'passed no test'],
    ['nothing but skipped tests', result('skipped'), {status: 0}, 'passed no test'],
  ])('counts %s as a failure', (_, vitest, ending, trouble) => {
    expect(countTests(vitest, ending)).toMatchObject({failed: 1, trouble})
  })
})
