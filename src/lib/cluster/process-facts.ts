import {execFileSync} from 'node:child_process'
import {readFileSync} from 'node:fs'

export interface ProcessFacts {
  readonly rssBytes: number
  /** Stopped by SIGSTOP. */
  readonly paused: boolean
}

/** Memory and state of a process of this machine; null where it has gone. */
export function processFacts(pid: number): ProcessFacts | null {
  try {
    return process.platform === 'linux' ? linuxFacts(pid) : psFacts(pid)
  } catch {
    // Either way fails in one case that matters: the process is gone.
    return null
  }
}

function linuxFacts(pid: number): ProcessFacts {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const [, state = ''] = /^State:\s*(\S)/m.exec(status) ?? []
  const [, rss = '0'] = /^VmRSS:\s*(\d+) kB/m.exec(status) ?? []
  return {rssBytes: Number(rss) * 1024, paused: state === 'T'}
}

function psFacts(pid: number): ProcessFacts {
  const [state = '', rss = '0'] = execFileSync('ps', ['-o', 'stat=,rss=', '-p', String(pid)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 2000,
  })
    .trim()
    .split(/\s+/)
  return {rssBytes: Number(rss) * 1024, paused: state.startsWith('T')}
}
