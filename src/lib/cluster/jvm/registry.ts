import {existsSync} from 'node:fs'
import {mkdir, mkdtemp, rename, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {runTool} from '../tools.ts'

/** The plugin that takes an archive out of a repository. Later versions want the archive's parent, which is not published. */
const UNPACK = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:unpack'
const TIMEOUT_MS = 600_000

/** Where the program of Apicurio Registry is kept, with the jars that it runs on beside it. */
export function registryProgram(cacheDir: string, version: string): string {
  return join(folderOf(cacheDir, version), `apicurio-registry-app-${version}-runner.jar`)
}

/** Has Maven get the registry where it is not in the cache yet: 109 MB, once. Moved to its place as a whole. */
export async function ensureRegistry(cacheDir: string, version: string, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  if (existsSync(registryProgram(cacheDir, version))) return
  say(`getting Apicurio Registry ${version} with Maven, once: 109 MB`)
  await mkdir(cacheDir, {recursive: true})
  const work = await mkdtemp(join(cacheDir, '.unpacking-'))
  const artifact = `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`
  try {
    const args = ['-B', '-q', UNPACK, `-Dartifact=${artifact}`, `-DoutputDirectory=${join(work, 'program')}`]
    await runTool('mvn', args, {cwd: work, signal, timeoutMs: TIMEOUT_MS, remedy: ['install Maven, so that mvn is on the PATH']})
    await keep(join(work, 'program'), cacheDir, version)
  } finally {
    await rm(work, {recursive: true, force: true})
  }
}

/** Another command may have put it there meanwhile: then that one stays. */
async function keep(program: string, cacheDir: string, version: string): Promise<void> {
  try {
    await rename(program, folderOf(cacheDir, version))
  } catch (error) {
    if (!existsSync(registryProgram(cacheDir, version))) throw error
  }
}

function folderOf(cacheDir: string, version: string): string {
  return join(cacheDir, `apicurio-${version}`)
}
