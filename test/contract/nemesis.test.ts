import {type ChildProcess, spawn} from 'node:child_process'
import {onTestFinished} from 'vitest'
import {KillProcess} from '../../src/lib/chaos/nemeses/kill-process.ts'
import {systemClock} from '../../src/lib/core/clock.ts'
import {identifyProcess, isSameProcess, type ProcessIdentity} from '../../src/lib/core/process-identity.ts'
import {nemesisContract} from './nemesis-contract.ts'

function sleeper(): {child: ChildProcess; identity: ProcessIdentity} {
  const child = spawn('sleep', ['60'], {stdio: 'ignore'})
  const identity = child.pid === undefined ? null : identifyProcess(child.pid)
  if (!identity) throw new Error('sleep did not start')
  return {child, identity}
}

nemesisContract('kill-process', async () => {
  let running = sleeper()
  onTestFinished(() => void running.child.kill('SIGKILL'))
  const start = async () => {
    running = sleeper()
  }
  const nemesis = new KillProcess({targets: {sleeper: {identity: () => running.identity, start}}, clock: systemClock})
  return {nemesis, op: {f: 'kill-process', target: 'sleeper'}, works: async () => isSameProcess(running.identity) === true}
})
