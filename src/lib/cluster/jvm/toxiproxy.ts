import {existsSync} from 'node:fs'
import {mkdir, mkdtemp, rename, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {runTool} from '../tools.ts'

const VERSION = '2.5.0'
const MODULE = `github.com/Shopify/toxiproxy/v2/cmd/server@v${VERSION}`
const BUILD_MS = 900_000

/** Where Toxiproxy's server is kept. */
export function toxiproxyProgram(cacheDir: string): string {
  return join(cacheDir, `toxiproxy-${VERSION}`)
}

/** Builds Toxiproxy's server from its Go module where it is not in the cache yet: two minutes, once. Moved to its place as a whole. */
export async function ensureToxiproxy(cacheDir: string, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  const program = toxiproxyProgram(cacheDir)
  if (existsSync(program)) return
  say(`building Toxiproxy ${VERSION} with Go, once; it takes about two minutes`)
  await mkdir(cacheDir, {recursive: true})
  const work = await mkdtemp(join(cacheDir, '.building-'))
  try {
    await runTool('go', ['install', MODULE], {
      env: {GOBIN: work, GOFLAGS: '-buildvcs=false'},
      signal,
      timeoutMs: BUILD_MS,
      remedy: ['install Go, so that go is on the PATH: Toxiproxy is built with it', 'or do without slow links: leave --proxy away'],
    })
    await rename(join(work, 'server'), program)
  } finally {
    await rm(work, {recursive: true, force: true})
  }
}
