import {execFile} from 'node:child_process'
import {existsSync} from 'node:fs'
import {mkdir, mkdtemp, rename, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {jarCache} from './jar-cache.ts'

const run = promisify(execFile)
const SOURCES = join(import.meta.dirname, 'compose-check')
const BUILD_MS = 240_000

export interface ComposeCheck {
  readonly name: string
  /** The file as compose understands it; rejects with what compose says against it. */
  config(file: string, env?: NodeJS.ProcessEnv): Promise<Record<string, never>>
}

/** `docker compose` where it is there, else the library that it is made of, built with Go; null where there is neither. */
export async function composeCheck(): Promise<ComposeCheck | null> {
  if (await works('docker', ['compose', 'version'])) {
    return {
      name: 'docker compose config',
      config: async (file, env) => await answer('docker', ['compose', '-f', file, 'config', '--format', 'json'], env),
    }
  }
  if (!(await works('go', ['version']))) return null
  const program = await build()
  return {name: 'compose-go', config: async (file, env) => await answer(program, [file], env)}
}

/** Built once, and moved to its place as a whole. */
async function build(): Promise<string> {
  const program = join(jarCache(), 'compose-check')
  if (existsSync(program)) return program
  await mkdir(jarCache(), {recursive: true})
  const work = await mkdtemp(join(jarCache(), '.building-'))
  try {
    await run('go', ['build', '-o', join(work, 'compose-check'), '.'], {cwd: SOURCES, timeout: BUILD_MS})
    await rename(join(work, 'compose-check'), program)
    return program
  } finally {
    await rm(work, {recursive: true, force: true})
  }
}

/** Whatever a compose file says, by way of a file. */
export async function configOf(check: ComposeCheck, folder: string, text: string, env?: NodeJS.ProcessEnv) {
  const file = join(folder, 'compose.yaml')
  await writeFile(file, text)
  return await check.config(file, env)
}

async function answer(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Record<string, never>> {
  const {stdout} = await run(command, args, {env: {...process.env, ...env}, timeout: 30_000})
  return JSON.parse(stdout)
}

async function works(command: string, args: readonly string[]): Promise<boolean> {
  return await run(command, args, {timeout: 10_000}).then(
    () => true,
    () => false,
  )
}
