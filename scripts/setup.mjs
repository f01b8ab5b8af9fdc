/**
 * Runs before `npm run demo` and `npm test`: installs the dependencies and builds the bundle, each only where needed.
 * Node built-ins only, and whatever Node is on PATH (20 and up): nothing is installed yet on a fresh clone. Talks on stderr, so that
 * stdout stays the command's own.
 */

import {spawnSync} from 'node:child_process'
import {existsSync, readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {bundleTrouble} from '../bin/bundle-state.js'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const pinnedNode = join(root, 'node_modules', '.bin', 'node')

const missing = whatIsMissing()
if (missing) {
  process.stderr.write(`coinpipe: installing dependencies (${missing})\n`)
  // Warnings would be about the Node on PATH, which only runs npm here: coinpipe itself runs on the pinned one.
  run('npm', ['ci', '--loglevel=error'])
}
if (!existsSync(pinnedNode)) {
  fail(`there is no pinned Node for ${process.platform}-${process.arch}`, 'supported: linux-x64, linux-arm64, darwin-x64, darwin-arm64')
}
const trouble = bundleTrouble(root)
if (trouble) {
  process.stderr.write(`coinpipe: building (${trouble})\n`)
  run(pinnedNode, [join(root, 'scripts', 'build.ts')])
}

/** Compares what the lockfile wants with what npm says it installed. */
function whatIsMissing() {
  const installedPath = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installedPath)) return 'node_modules is missing'
  const wanted = readPackages(join(root, 'package-lock.json'))
  const installed = readPackages(installedPath)
  const wrong = Object.keys(wanted).find((path) => {
    if (path === '') return false
    const found = installed[path]
    // Optional packages of other platforms are left out by npm.
    return found ? found.version !== wanted[path].version : !wanted[path].optional
  })
  return wrong && `${wrong} is not as in package-lock.json`
}

function readPackages(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages
}

function run(command, args) {
  const {status, error} = spawnSync(command, args, {cwd: root, stdio: ['ignore', 2, 2]})
  if (status !== 0) fail(`${command} ${args.join(' ')} ended with ${error?.message ?? `exit code ${status}`}`, 'see the lines above')
}

function fail(message, remedy) {
  process.stderr.write(`Error: ${message}\n  ${remedy}\n`)
  process.exit(4)
}
