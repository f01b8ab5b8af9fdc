import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {describe, expect, it} from 'vitest'
import {currentProcess, identifyProcess, isSameProcess} from '../../../src/lib/core/process-identity.ts'

describe('process identity', () => {
  it('knows this process', () => {
    const identity = currentProcess()
    expect(identity.pid).toBe(process.pid)
    expect(isSameProcess(identity)).toBe(true)
    expect(identifyProcess(process.pid)).toEqual(identity)
  })

  it('does not take a process for an earlier one with the same pid', () => {
    expect(isSameProcess({...currentProcess(), startTime: '1'})).toBe(false)
  })

  it('cannot tell about a process of another machine or container', () => {
    expect(isSameProcess({...currentProcess(), scope: 'elsewhere'})).toBeNull()
  })

  it('sees that a process was killed, even before its parent has noticed', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {stdio: 'ignore'})
    await once(child, 'spawn')
    const identity = identifyProcess(child.pid ?? 0)
    expect(identity).not.toBeNull()
    if (identity === null) return
    expect(isSameProcess(identity)).toBe(true)
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    expect(isSameProcess(identity)).toBe(false)
    expect(identifyProcess(identity.pid)).toBeNull()
  })
})
