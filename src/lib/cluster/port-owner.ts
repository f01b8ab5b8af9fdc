import {execFile} from 'node:child_process'
import {promisify} from 'node:util'

export interface PortOwner {
  readonly pid: number
  /** Its command line. */
  readonly command: string
}

const TIMEOUT_MS = 3000
const run = promisify(execFile)

/** The process that listens on a port, where lsof is there and may tell: an aid for an error message, so null for whatever else. */
export async function portOwner(host: string, port: number): Promise<PortOwner | null> {
  try {
    const {stdout} = await run('lsof', ['-nP', '-Fpn', `-iTCP:${port}`, '-sTCP:LISTEN'], {timeout: TIMEOUT_MS})
    const pid = listenerOf(stdout, host, port)
    if (pid === null) return null
    const command = await run('ps', ['-o', 'args=', '-p', String(pid)], {timeout: TIMEOUT_MS})
    return {pid, command: command.stdout.trim()}
  } catch {
    // No lsof, no rights, or it has gone meanwhile.
    return null
  }
}

/** lsof's field output: a line `p<pid>`, then one `n<address>` for each socket. A listener on all addresses takes the port as well. */
export function listenerOf(output: string, host: string, port: number): number | null {
  let pid: number | null = null
  for (const line of output.split('\n')) {
    if (line.startsWith('p')) pid = Number(line.slice(1))
    if (line === `n${host}:${port}` || line === `n*:${port}`) return pid
  }
  return null
}
