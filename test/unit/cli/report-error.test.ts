import {Errors} from '@oclif/core'
import {describe, expect, it} from 'vitest'
import {reportError} from '../../../src/lib/cli/report-error.ts'
import {AbortedError, CoinpipeError, DeadlineError, EXIT, InvalidInputError} from '../../../src/lib/core/errors.ts'

class BugError extends CoinpipeError {
  readonly code = 'COINPIPE_TEST_BUG'
}

function report(error: unknown, json = false) {
  const written = {stdout: '', stderr: ''}
  const exitCode = reportError(error, json, {
    stdout: {write: (text) => (written.stdout += text)},
    stderr: {write: (text) => (written.stderr += text)},
  })
  return {...written, exitCode}
}

describe('reportError', () => {
  it('prints message, code and remedy on stderr, without a stack', () => {
    const error = new DeadlineError('upbit did not answer in 5s', {remedy: ['check the network', 'or use --url']})
    expect(report(error)).toEqual({
      stdout: '',
      stderr: 'Error: upbit did not answer in 5s [COINPIPE_DEADLINE]\n  check the network\n  or use --url\n',
      exitCode: 4,
    })
  })

  it('prints one line of JSON on stdout with --json, and nothing on stderr', () => {
    const {stdout, stderr, exitCode} = report(new AbortedError(), true)
    expect(JSON.parse(stdout)).toEqual({error: {code: 'COINPIPE_ABORTED', message: 'stopped before it was done', remedy: []}})
    expect(stdout.endsWith('}\n')).toBe(true)
    expect([stderr, exitCode]).toEqual(['', 130])
  })

  it('turns what oclif refuses into a usage error', () => {
    const {stderr, exitCode} = report(new Errors.CLIError('Nonexistent flag: --foo\nSee more help with --help'))
    expect(stderr).toMatch(/^Error: Nonexistent flag: --foo \[COINPIPE_USAGE\]\n/)
    expect(exitCode).toBe(2)
  })

  it.each([
    ['The following error occurred:\n  Missing required flag symbol', 'Missing required flag symbol'],
    ['Parsing --last \n\tExpected an integer but received: x', '--last: Expected an integer but received: x'],
    ['Missing 1 required arg:\nfile  Capture to read.', 'Missing 1 required arg: file  Capture to read.'],
  ])('puts what oclif says in several lines into one: %j', (said, shown) => {
    expect(report(new Errors.CLIError(`${said}\nSee more help with --help`)).stderr).toMatch(`Error: ${shown} [COINPIPE_USAGE]\n`)
  })

  it('keeps the name of the flag whose value is refused', () => {
    const error = new InvalidInputError("'5' is not a duration")
    error.message = `Parsing --for \n\t${error.message}\nSee more help with --help`
    expect(report(error).stderr).toMatch(/^Error: --for: '5' is not a duration \[COINPIPE_INVALID_INPUT\]\n/)
  })

  it('prints nothing for an exit that was asked for', () => {
    expect(report(new Errors.ExitError(3))).toEqual({stdout: '', stderr: '', exitCode: 3})
  })

  it.each([
    ['an error that is not ours', new TypeError('x is undefined', {cause: new Error('the first cause')}), 'COINPIPE_BUG'],
    [
      'one of ours that says so',
      new BugError('x is undefined', {exitCode: EXIT.bug, cause: new Error('the first cause')}),
      'COINPIPE_TEST_BUG',
    ],
  ])('shows stack, causes and where to report a bug: %s', (_, error, code) => {
    const {stderr, exitCode} = report(error)
    expect(exitCode).toBe(70)
    expect(stderr).toContain(`Error: x is undefined [${code}]\n  This is a bug in coinpipe. Please report it`)
    expect(stderr).toMatch(/report-error\.test\.ts:\d+[\s\S]*Caused by: Error: the first cause/)
  })

  it('reports a thrown value that is no error as a bug', () => {
    expect(report('oops')).toMatchObject({exitCode: 70, stderr: expect.stringContaining('oops')})
  })

  it('shows the stack of a bug on stderr with --json too', () => {
    const {stdout, stderr} = report(new TypeError('x is undefined'), true)
    expect(JSON.parse(stdout)).toMatchObject({error: {code: 'COINPIPE_BUG', message: 'x is undefined'}})
    expect(stderr).toMatch(/report-error\.test\.ts:\d+/)
  })
})
