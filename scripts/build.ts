/**
 * Builds what ships: dist/coinpipe.mjs, one dist/<name>.mjs per worker thread in src/workers/, the chunks that these share, and the
 * browser page in dist/page/, and the licences of what is bundled. Chunks let a command load only what it needs: start-up does not grow with the number of commands.
 */

import {readdirSync, statSync} from 'node:fs'
import {copyFile, mkdir, rename, rm, writeFile} from 'node:fs/promises'
import {createRequire} from 'node:module'
import {basename, dirname, join} from 'node:path'
import {type BuildOptions, build} from 'esbuild'
import {thirdPartyLicenses} from './third-party.ts'

const ROOT = join(import.meta.dirname, '..')
const WORKERS = join(ROOT, 'src/workers')
const PAGE = join(ROOT, 'src/lib/web/page')
const DIST = join(ROOT, 'dist')
/** The Kafka client's compression and checksums. It reads the file from `../dist/`, seen from the code of its own that it is bundled with. */
const KAFKA_WASM = join(
  dirname(createRequire(import.meta.resolve('@platformatic/kafka')).resolve('@platformatic/wasm-utils')),
  'native.wasm',
)
/** A coinpipe that started before this build may still import chunks of its own. */
const KEEP_OLD_CHUNKS_MS = 3_600_000

const NODE: BuildOptions = {
  entryPoints: [
    {in: join(ROOT, 'src/main.ts'), out: 'coinpipe'},
    ...readdirSync(WORKERS).map((name) => ({in: join(WORKERS, name), out: basename(name, '.ts')})),
  ],
  outdir: DIST,
  platform: 'node',
  target: 'node26',
  format: 'esm',
  splitting: true,
  chunkNames: 'chunk-[hash]',
  outExtension: {'.js': '.mjs'},
  // What CommonJS packages expect to find, and a module does not have.
  banner: {
    js: `import {createRequire as bannerCreateRequire} from 'node:module'
const require = bannerCreateRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname`,
  },
  define: {
    COINPIPE_BUNDLED: 'true',
    'process.env.NODE_ENV': '"production"',
    // oclif would load semver on every start to warn about a Node that bin/coinpipe never runs.
    'process.env.OCLIF_DISABLE_ENGINE_WARNING': '"1"',
  },
  // Not minified, so that the stack of a bug can be read; and an error's name is printed, so two classes of one name must keep it.
  keepNames: true,
}

const BROWSER: BuildOptions = {
  entryPoints: [{in: join(PAGE, 'app.ts'), out: 'app'}],
  outdir: join(DIST, 'page'),
  platform: 'browser',
  target: 'es2022',
  format: 'esm',
  minify: true,
}

await rm(join(DIST, 'compile-cache'), {recursive: true, force: true})
try {
  const {placed, inputs} = await bundle(NODE)
  const page = await bundle(BROWSER)
  const licenses = thirdPartyLicenses([...inputs, ...page.inputs])
  await place(join(DIST, 'THIRD-PARTY-LICENSES.txt'), (temporary) => writeFile(temporary, licenses))
  await place(join(DIST, basename(KAFKA_WASM)), (temporary) => copyFile(KAFKA_WASM, temporary))
  for (const name of readdirSync(PAGE).filter((name) => !name.endsWith('.ts'))) {
    await place(join(DIST, 'page', name), (temporary) => copyFile(join(PAGE, name), temporary))
  }
  for (const path of readdirSync(DIST)
    .map((name) => join(DIST, name))
    .filter(isOldChunk(placed)))
    await rm(path)
} catch (error) {
  // A BuildFailure: esbuild has printed what is wrong, and where.
  if (!(error instanceof Error && 'errors' in error)) throw error
  process.exitCode = 1
}

interface Bundled {
  /** Paths written: chunks first, so that what is there of the entries always finds its own. */
  readonly placed: ReadonlySet<string>
  /** Paths of the sources that something of is in them, relative to the project. */
  readonly inputs: readonly string[]
}

async function bundle(options: BuildOptions): Promise<Bundled> {
  const {outputFiles, metafile} = await build({
    ...options,
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    metafile: true,
    logLevel: 'warning',
  })
  const chunksFirst = outputFiles.toSorted((a, b) => Number(isChunk(b.path)) - Number(isChunk(a.path)))
  for (const file of chunksFirst) await place(file.path, (temporary) => writeFile(temporary, file.contents))
  const used = Object.values(metafile.outputs).flatMap(({inputs}) =>
    Object.entries(inputs).filter(([, {bytesInOutput}]) => bytesInOutput > 0),
  )
  return {placed: new Set(outputFiles.map((file) => file.path)), inputs: used.map(([path]) => path)}
}

/** Puts a file in place with a rename, so that a coinpipe that starts meanwhile never reads half of one. */
async function place(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  await mkdir(dirname(path), {recursive: true})
  await write(temporary)
  await rename(temporary, path)
}

function isChunk(path: string): boolean {
  return basename(path).startsWith('chunk-')
}

function isOldChunk(placed: ReadonlySet<string>): (path: string) => boolean {
  return (path) => isChunk(path) && !placed.has(path) && Date.now() - statSync(path).mtimeMs > KEEP_OLD_CHUNKS_MS
}
