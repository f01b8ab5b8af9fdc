/** The libraries that `decode` is measured against: installed outside the repository on first use, each run in a process of its own. */
import {type ChildProcess, spawn} from 'node:child_process'
import {mkdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {execute, installOnce, pythonWith} from './install.ts'
import type {Measured} from './measure.ts'

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
  const python = pythonWith('cryptofeed', CRYPTOFEED)
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
