import {type ChildProcessByStdio, spawn} from 'node:child_process'
import {once} from 'node:events'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import type {Readable} from 'node:stream'
import {fileURLToPath} from 'node:url'
import {describe, expect, it, onTestFinished} from 'vitest'
import {takeLock} from '../../../src/lib/core/lock.ts'
import {tempDir} from '../../helpers/temp-dir.ts'

const LOCK = fileURLToPath(new URL('../../../src/lib/core/lock.ts', import.meta.url))
const TAKE = `
  const {takeLock} = await import(process.argv[1])
  const release = await takeLock(process.argv[2], 'ingest').catch((error) => error)
  process.stdout.write(release.code ?? 'taken')
  setInterval(() => release, 1000)
`

type Holder = ChildProcessByStdio<null, Readable, null>

/** A process that tries to take the lock, says how that went and stays. */
function startHolder(path: string): Holder {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', TAKE, LOCK, path], {stdio: ['ignore', 'pipe', 'ignore']})
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function said({stdout}: Holder): Promise<string> {
  const [chunk] = await once(stdout, 'data')
  return String(chunk).trim()
}

describe('takeLock', () => {
  it('is refused while it is held, and had again after its release', async () => {
    const path = join(await tempDir(), 'folder', 'lock')
    const release = await takeLock(path, "ingest 'a'")
    await expect(takeLock(path, "ingest 'a'")).rejects.toMatchObject({
      code: 'COINPIPE_ALREADY_RUNNING',
      message: `ingest 'a' is running already: another process holds ${path}`,
      remedy: [expect.stringContaining('lsof')],
      exitCode: 2,
    })
    await release()
    await (await takeLock(path, "ingest 'a'"))()
  })

  it('is refused while another process lives, and taken over when that was killed', async () => {
    const path = join(await tempDir(), 'lock')
    const holder = startHolder(path)
    expect(await said(holder)).toBe('taken')
    await expect(takeLock(path, 'ingest')).rejects.toMatchObject({code: 'COINPIPE_ALREADY_RUNNING'})
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    await (await takeLock(path, 'ingest'))()
  })

  it('goes to one of several processes that race for what a dead one left', async () => {
    const path = join(await tempDir(), 'lock')
    const dead = startHolder(path)
    await said(dead)
    dead.kill('SIGKILL')
    await once(dead, 'exit')
    const answers = await Promise.all(Array.from({length: 4}, () => said(startHolder(path))))
    expect(answers.sort()).toEqual(['COINPIPE_ALREADY_RUNNING', 'COINPIPE_ALREADY_RUNNING', 'COINPIPE_ALREADY_RUNNING', 'taken'])
  })

  it('says what is wrong with its folder', async () => {
    const file = join(await tempDir(), 'file')
    await writeFile(file, '')
    await expect(takeLock(join(file, 'lock'), 'ingest')).rejects.toMatchObject({
      code: 'COINPIPE_LOCK_UNUSABLE',
      message: expect.stringContaining(file),
      remedy: [expect.stringContaining('df -h')],
    })
  })
})
