import {existsSync, readdirSync, statSync} from 'node:fs'
import {join} from 'node:path'

/**
 * What is wrong with the bundle in `root`, or undefined. In a checkout, running a bundle that is older than the sources would only puzzle;
 * an installed package has no src/. Runs on every start, so it only looks at times: about 3 ms for 150 files.
 * @param {string} root
 * @returns {string | undefined}
 */
export function bundleTrouble(root) {
  const bundle = join(root, 'dist', 'coinpipe.mjs')
  const builtMs = statSync(bundle, {throwIfNoEntry: false})?.mtimeMs
  if (builtMs === undefined) return `there is no bundle at ${bundle}`
  const sources = join(root, 'src')
  if (!existsSync(sources)) return undefined
  // Folders count too: their time changes when a file is added or removed.
  const newer = ['', ...readdirSync(sources, {recursive: true, encoding: 'utf8'})].find((name) => changedMs(join(sources, name)) > builtMs)
  return newer === undefined ? undefined : `the bundle is older than the sources (${join('src', newer)})`
}

/** @param {string} path */
function changedMs(path) {
  return statSync(path, {throwIfNoEntry: false})?.mtimeMs ?? 0
}
