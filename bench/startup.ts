import {spawnSync} from 'node:child_process'
import {join} from 'node:path'

const ROUNDS = 11
const MAX_RATIO = 4
const ROOT = join(import.meta.dirname, '..')

/** How long `coinpipe --version` takes beside a bare start of the same Node: alternated, medians. */
export async function run(): Promise<boolean> {
  const bare = () => time(join(ROOT, 'node_modules/.bin/node'), ['--eval', '0'])
  const version = () => time(join(ROOT, 'bin/coinpipe'), ['--version'])
  version() // fills the compile cache
  const rounds = Array.from({length: ROUNDS}, () => ({bareMs: bare(), versionMs: version()}))
  const bareMs = median(rounds.map((round) => round.bareMs))
  const versionMs = median(rounds.map((round) => round.versionMs))
  const ratio = versionMs / bareMs
  process.stdout.write(`bare node            ${bareMs.toFixed(1)} ms\n`)
  process.stdout.write(`coinpipe --version   ${versionMs.toFixed(1)} ms, ${ratio.toFixed(2)}x (bound: ${MAX_RATIO}x)\n`)
  return ratio <= MAX_RATIO
}

function time(command: string, args: readonly string[]): number {
  const start = performance.now()
  const {status, stderr} = spawnSync(command, args, {encoding: 'utf8'})
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`)
  return performance.now() - start
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
