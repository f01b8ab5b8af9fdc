import {describe, expect, it} from 'vitest'
import {BackOffError, FencedError, NotConnectedError} from '../../../src/lib/core/errors.ts'
import {retrying} from '../../../src/lib/pipeline/retry.ts'
import {testContext} from '../../helpers/context.ts'

const NEVER = new AbortController().signal
const POLICY = {component: 'test', stage: 'write', signal: NEVER, minMs: 1, maxMs: 2}

/** Fails with each of the errors in turn, then answers. */
function failing(...errors: Error[]) {
  const calls: number[] = []
  const work = async () => {
    calls.push(performance.now())
    const error = errors[calls.length - 1]
    if (error) throw error
    return 'done'
  }
  return {calls, work}
}

describe('retrying', () => {
  it('tries again while the error may pass, and counts each failure', async () => {
    const context = testContext()
    const {work, calls} = failing(new NotConnectedError('one'), new NotConnectedError('two'))
    expect(await retrying(work, POLICY, context)).toBe('done')
    expect(calls).toHaveLength(3)
    expect(context.metrics.total('coinpipe_retries_total', {component: 'test', code: 'COINPIPE_NOT_CONNECTED'})).toBe(2)
    expect(context.metrics.total('coinpipe_component_errors_total', {component: 'test', stage: 'write'})).toBe(2)
  })

  it.each([
    ['an error that says never', new FencedError('no')],
    ['a bug', new RangeError('oops')],
  ])('passes %s on at once', async (_name, error) => {
    const {work, calls} = failing(error, error)
    await expect(retrying(work, POLICY, testContext())).rejects.toBe(error)
    expect(calls).toHaveLength(1)
  })

  it('waits as long as the other side asks for', async () => {
    const {work, calls} = failing(new BackOffError('slower', 80))
    await retrying(work, POLICY, testContext())
    expect((calls[1] ?? 0) - (calls[0] ?? 0)).toBeGreaterThanOrEqual(79)
  })

  it('gives up after the retries that it is given', async () => {
    const error = new NotConnectedError('gone')
    const {work, calls} = failing(error, error, error, error)
    await expect(retrying(work, {...POLICY, retries: 2}, testContext())).rejects.toBe(error)
    expect(calls).toHaveLength(3)
  })

  it('stops waiting when it is told to, and says what it was waiting for', async () => {
    const cause = new NotConnectedError('gone', {retry: {kind: 'later', afterMs: 60_000}, remedy: ['look for it']})
    const stop = new AbortController()
    const {work} = failing(cause, cause)
    const result = retrying(work, {...POLICY, signal: stop.signal}, testContext())
    setImmediate(() => stop.abort())
    await expect(result).rejects.toMatchObject({
      code: 'COINPIPE_ABORTED',
      message: 'test stopped while write was being retried: gone',
      remedy: ['look for it'],
      exitCode: 4,
      cause,
    })
  })
})
