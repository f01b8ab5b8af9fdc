/** The libraries that `decode` is measured against: installed outside the repository on first use, each run in a process of its own. */
import {type ChildProcess, execFileSync, spawn} from 'node:child_process'
import {existsSync, mkdirSync, writeFileSync} from 'node:fs'
import {homedir} from 'node:os'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import type {Measured} from './measure.ts'

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'coinpipe', 'bench-peers')
const INSTALL_TIMEOUT_MS = 600_000
const HERE = import.meta.dirname

export const CRYPTOFEED = '2.4.1'
export const TARDIS = '13.35.3'
export const CCXT = '4.5.84'

/** Decodes in another process. */
export interface Peer {
  run(seconds: number): Promise<Measured>
  close(): void
}

export function startCryptofeed(framesFile: string): Peer {
  const python = installOnce(`cryptofeed-${CRYPTOFEED}`, 'bin/python', (folder) => {
    execute('python3', ['-m', 'venv', folder])
    execute(join(folder, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', `cryptofeed==${CRYPTOFEED}`])
  })
  return startPeer(python, [join(HERE, 'peers/cryptofeed_bench.py'), framesFile])
}

export function startJavaScriptPeer(name: 'tardis-dev' | 'ccxt', framesFile: string): Peer {
  const folder = installOnce(`javascript-${TARDIS}-${CCXT}`, '.', (folder) => {
    mkdirSync(folder, {recursive: true})
    writeFileSync(join(folder, 'package.json'), '{"private":true}')
    execute('npm', [
      'install',
      '--prefix',
      folder,
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--silent',
      `tardis-dev@${TARDIS}`,
      `ccxt@${CCXT}`,
    ])
  })
  return startPeer(process.execPath, [join(HERE, 'peers/javascript-bench.ts'), name, folder, framesFile])
}

/** Installs into a folder of the cache unless that was done before; returns a path in it. */
function installOnce(name: string, path: string, install: (folder: string) => void): string {
  const folder = join(CACHE, name)
  const done = join(folder, 'installed')
  if (!existsSync(done)) {
    process.stdout.write(`installing ${name} into ${CACHE} …\n`)
    install(folder)
    writeFileSync(done, '')
  }
  return join(folder, path)
}

function execute(command: string, args: readonly string[]): void {
  execFileSync(command, args, {stdio: ['ignore', 'ignore', 'inherit'], timeout: INSTALL_TIMEOUT_MS})
}

function startPeer(command: string, args: readonly string[]): Peer {
  const child = spawn(command, args, {stdio: ['pipe', 'pipe', 'inherit']})
  const answers = createInterface({input: child.stdout})[Symbol.asyncIterator]()
  const ended = endOf(child)
  return {
    async run(seconds) {
      child.stdin.write(`${seconds}\n`)
      const answer = await Promise.race([answers.next(), ended])
      if (answer.done) throw new Error(`${args[0]} ended without an answer`)
      return JSON.parse(answer.value) as Measured
    },
    close: () => child.stdin.end(),
  }
}

/** Rejects when the process cannot be started, or ends. */
function endOf(child: ChildProcess): Promise<never> {
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${child.spawnfile} ended with ${code}`)))
  })
  // Nobody listens between runs.
  ended.catch(() => undefined)
  return ended
}
