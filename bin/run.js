#!/usr/bin/env node
import {existsSync, readdirSync, statSync} from 'node:fs'
import {createRequire, enableCompileCache} from 'node:module'
import {join} from 'node:path'

const root = join(import.meta.dirname, '..')
const bundle = join(root, 'dist', 'coinpipe.cjs')
const trouble = bundleTrouble()
if (trouble) {
  process.stderr.write(`Error: ${trouble}\n  build it: npm run build\n  or run the sources: npm run dev -- …\n`)
  process.exit(2)
}
enableCompileCache(join(root, 'dist', 'compile-cache'))
createRequire(import.meta.url)(bundle).main(process.argv.slice(2))

/** In a checkout, running a bundle that is older than the sources would only puzzle. An installed package has no src/. */
function bundleTrouble() {
  const builtMs = statSync(bundle, {throwIfNoEntry: false})?.mtimeMs
  if (builtMs === undefined) return `there is no bundle at ${bundle}`
  const sources = join(root, 'src')
  if (!existsSync(sources)) return undefined
  // Folders count too: their time changes when a file is added or removed.
  const newer = ['', ...readdirSync(sources, {recursive: true})].find((name) => statSync(join(sources, name)).mtimeMs > builtMs)
  return newer === undefined ? undefined : `the bundle is older than the sources (${join('src', newer)})`
}
