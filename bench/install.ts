/** Programs that benches are measured against: installed outside the repository on first use. */
import {execFileSync} from 'node:child_process'
import {existsSync, writeFileSync} from 'node:fs'
import {homedir} from 'node:os'
import {join} from 'node:path'

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'coinpipe', 'bench-peers')
const INSTALL_TIMEOUT_MS = 600_000

/** Installs into a folder of the cache unless that was done before; returns a path in it. */
export function installOnce(name: string, path: string, install: (folder: string) => void): string {
  const folder = join(CACHE, name)
  const done = join(folder, 'installed')
  if (!existsSync(done)) {
    process.stdout.write(`installing ${name} into ${CACHE} …\n`)
    install(folder)
    writeFileSync(done, '')
  }
  return join(folder, path)
}

/** A Python of its own with one package; returns its path. */
export function pythonWith(name: string, version: string): string {
  return installOnce(`${name}-${version}`, 'bin/python', (folder) => {
    execute('python3', ['-m', 'venv', folder])
    execute(join(folder, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', `${name}==${version}`])
  })
}

export function execute(command: string, args: readonly string[]): void {
  execFileSync(command, args, {stdio: ['ignore', 'ignore', 'inherit'], timeout: INSTALL_TIMEOUT_MS})
}

/** Whether there is a program of this name. */
export function hasProgram(name: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', name], {stdio: 'ignore'})
    return true
  } catch {
    return false
  }
}
