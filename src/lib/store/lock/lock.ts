import {mkdir, readFile, rm, writeFile} from 'node:fs/promises'
import {dirname} from 'node:path'
import {CoinpipeError, EXIT} from '../../core/errors.ts'
import {currentProcess, isSameProcess, type ProcessIdentity} from '../../core/process-identity.ts'

/** Something that one process at a time may do is being done by another one. */
export class AlreadyRunningError extends CoinpipeError {
  readonly code = 'COINPIPE_ALREADY_RUNNING'
  constructor(what: string, owner: ProcessIdentity, path: string) {
    super(`${what} is running already: process ${owner.pid} holds ${path}`, {
      exitCode: EXIT.usage,
      remedy: ['stop that process first, or give this one a name of its own with --name'],
    })
  }
}

const ATTEMPTS = 3

/**
 * Takes a lock file for this process; the answer releases it. A file left by a process that died is taken over. Rejects with
 * AlreadyRunningError while its process lives, also where that cannot be told (another container on the same folder).
 */
export async function takeLock(path: string, what: string): Promise<() => Promise<void>> {
  await mkdir(dirname(path), {recursive: true})
  const mine = JSON.stringify(currentProcess())
  for (let attempt = 1; ; attempt += 1) {
    try {
      await writeFile(path, mine, {flag: 'wx'})
      return () => release(path, mine)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === ATTEMPTS) throw error
    }
    const owner = await readOwner(path)
    if (owner && isSameProcess(owner) !== false) throw new AlreadyRunningError(what, owner, path)
    await rm(path, {force: true})
  }
}

async function readOwner(path: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessIdentity
  } catch {
    // Gone since, or torn by a crash while it was written: nobody's.
    return undefined
  }
}

async function release(path: string, mine: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => '')) === mine) await rm(path, {force: true})
}
