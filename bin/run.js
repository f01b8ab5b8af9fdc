#!/usr/bin/env node
import {enableCompileCache} from 'node:module'
import {join} from 'node:path'
import {bundleTrouble} from './bundle-state.js'

const root = join(import.meta.dirname, '..')
const trouble = bundleTrouble(root)
if (trouble) {
  process.stderr.write(`Error: ${trouble}\n  build it: npm run build\n  or run the sources: npm run dev -- …\n`)
  process.exit(2)
}
enableCompileCache(join(root, 'dist', 'compile-cache'))
const {main} = await import('../dist/coinpipe.mjs')
await main(process.argv.slice(2))
