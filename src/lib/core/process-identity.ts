import {execFileSync} from 'node:child_process'
import {readFileSync, readlinkSync} from 'node:fs'
import {hostname} from 'node:os'

/** A process for as long as it lives. A pid alone is not enough: it is given to another process later. */
export interface ProcessIdentity {
  readonly pid: number
  /** Opaque text that differs between two processes that had the same pid: clock ticks since boot on Linux, a date on macOS. */
  readonly startTime: string
  /** Where the pid means something: the machine since its last boot, and the pid namespace (containers that share a folder do not share pids). */
  readonly scope: string
}

/** Who this process is. */
export function currentProcess(): ProcessIdentity {
  return {pid: process.pid, startTime: startTimeOf(process.pid) ?? 'unknown', scope: pidScope()}
}

/** Identity of another process of this machine, or null where no such process runs. */
export function identifyProcess(pid: number): ProcessIdentity | null {
  const startTime = startTimeOf(pid)
  return startTime === null ? null : {pid, startTime, scope: pidScope()}
}

/** Whether the process still runs; null where that cannot be told from here (another machine or container). A reused pid is not the same process. */
export function isSameProcess(identity: ProcessIdentity): boolean | null {
  if (identity.scope !== pidScope()) return null
  if (!isPidTaken(identity.pid)) return false
  return startTimeOf(identity.pid) === identity.startTime
}

function isPidTaken(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, under another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function startTimeOf(pid: number): string | null {
  try {
    return process.platform === 'linux' ? linuxStartTime(pid) : psStartTime(pid)
  } catch {
    // Both ways fail in one case that matters: the process is gone.
    return null
  }
}

/** Field 22 of /proc/<pid>/stat. The name in field 2 may hold spaces and brackets, so fields are counted from the last bracket. A zombie is gone. */
function linuxStartTime(pid: number): string | null {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, startTime] = [fields[0], fields[19]]
  return state === 'Z' || state === 'X' || startTime === undefined ? null : startTime
}

function psStartTime(pid: number): string | null {
  const output = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env: {...process.env, LC_ALL: 'C'},
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 2000,
  }).trim()
  const [state = '', ...started] = output.split(/\s+/)
  return started.length === 0 || state.startsWith('Z') ? null : started.join(' ')
}

function pidScope(): string {
  if (process.platform !== 'linux') return hostname()
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}
