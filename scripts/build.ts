/**
 * Builds what ships: dist/coinpipe.cjs, one dist/<name>.cjs per worker thread in src/workers/, and the browser page in dist/page/.
 * Each file is put in place with a rename, so that a coinpipe that starts meanwhile never reads half of one.
 */

import {readdirSync} from 'node:fs'
import {copyFile, mkdir, rename, rm, writeFile} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {type BuildOptions, build} from 'esbuild'

const ROOT = join(import.meta.dirname, '..')
const WORKERS = join(ROOT, 'src/workers')
const PAGE = join(ROOT, 'src/lib/web/page')
const DIST = join(ROOT, 'dist')

/** Not minified: it starts no faster (measured at 4 MB, with the compile cache), and the stack of a bug would tell nothing. */
const NODE: BuildOptions = {
  platform: 'node',
  target: 'node26',
  format: 'cjs',
  // CommonJS has no import.meta; the banner gives each bundle its own URL.
  banner: {js: "const __bundleUrl = require('node:url').pathToFileURL(__filename).href;"},
  define: {
    COINPIPE_BUNDLED: 'true',
    'import.meta.url': '__bundleUrl',
    'process.env.NODE_ENV': '"production"',
    // oclif would load semver on every start to warn about a Node that bin/coinpipe never runs.
    'process.env.OCLIF_DISABLE_ENGINE_WARNING': '"1"',
  },
  // Two classes of one name would get different ones, and an error's name is printed.
  keepNames: true,
}

const BROWSER: BuildOptions = {platform: 'browser', target: 'es2022', format: 'esm', minify: true}

await rm(join(DIST, 'compile-cache'), {recursive: true, force: true})
await Promise.all([
  bundle(join(ROOT, 'src/main.ts'), join(DIST, 'coinpipe.cjs'), NODE),
  ...readdirSync(WORKERS).map((name) => bundle(join(WORKERS, name), join(DIST, `${basename(name, '.ts')}.cjs`), NODE)),
  bundle(join(PAGE, 'app.ts'), join(DIST, 'page/app.js'), BROWSER),
  ...readdirSync(PAGE)
    .filter((name) => !name.endsWith('.ts'))
    .map((name) => place(join(DIST, 'page', name), (temporary) => copyFile(join(PAGE, name), temporary))),
]).catch((error: unknown) => {
  // A BuildFailure: esbuild has printed what is wrong, and where.
  if (!(error instanceof Error && 'errors' in error)) throw error
  process.exitCode = 1
})

async function bundle(entry: string, outfile: string, options: BuildOptions): Promise<void> {
  const {outputFiles} = await build({...options, entryPoints: [entry], outfile, bundle: true, write: false, logLevel: 'warning'})
  for (const file of outputFiles ?? []) await place(file.path, (temporary) => writeFile(temporary, file.contents))
}

async function place(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  await mkdir(dirname(path), {recursive: true})
  await write(temporary)
  await rename(temporary, path)
}
