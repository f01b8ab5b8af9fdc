/**
 * Writes every generated file: oclif.manifest.json, docs/commands/, docs/errors.md, docs/metrics.md, docs/config.md and the JSON schema of coinpipe.yaml.
 * With `--check` it writes nothing and exits 1 where a file differs from what it would write.
 */

import {mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {z} from 'zod'
import {configSchema} from '../src/lib/config/schema.ts'
import {loadPlugin} from '../src/main.ts'
import {errorClasses} from './error-classes.ts'
import {renderCommands} from './render-commands.ts'
import {renderConfig} from './render-config.ts'
import {renderErrors} from './render-errors.ts'
import {renderMetrics} from './render-metrics.ts'

const ROOT = join(import.meta.dirname, '..')
const COMMANDS = 'docs/commands'

const {manifest} = await loadPlugin()
// oclif finds commands in whatever order the file system answers.
const commands = Object.fromEntries(Object.entries(manifest.commands).sort(([a], [b]) => (a < b ? -1 : 1)))
const generated = new Map<string, string>([
  ['oclif.manifest.json', toJson({...manifest, commands})],
  ['docs/errors.md', renderErrors(errorClasses())],
  ['docs/config.md', renderConfig()],
  ['docs/metrics.md', renderMetrics()],
  ['schema/coinpipe.schema.json', toJson(z.toJSONSchema(configSchema, {io: 'input', unrepresentable: 'any'}))],
  ...renderCommands(manifest, COMMANDS),
])
const left = readdirSync(join(ROOT, COMMANDS))
  .map((name) => `${COMMANDS}/${name}`)
  .filter((path) => !generated.has(path))

if (process.argv.includes('--check')) check()
else write()

function write(): void {
  for (const path of left) rmSync(join(ROOT, path))
  for (const [path, text] of generated) {
    mkdirSync(dirname(join(ROOT, path)), {recursive: true})
    writeFileSync(join(ROOT, path), text)
  }
}

function check(): void {
  const wrong = [
    ...left.map((path) => `${path}: generated from a command that is gone`),
    ...[...generated].flatMap(([path, text]) => difference(path, text)),
  ]
  if (wrong.length === 0) return
  process.stderr.write(`Generated files are out of date:\n${wrong.map((line) => `  ${line}\n`).join('')}write them with: npm run docs\n`)
  process.exitCode = 1
}

/** Names the first line that differs. */
function difference(path: string, text: string): string[] {
  const found = readOrEmpty(join(ROOT, path)).split('\n')
  const wanted = text.split('\n')
  const index = wanted.findIndex((line, i) => line !== found[i])
  if (index === -1 && found.length === wanted.length) return []
  const line = index === -1 ? wanted.length : index
  return [`${path}:${line + 1}: found ${JSON.stringify(found[line] ?? '')}, wanted ${JSON.stringify(wanted[line] ?? '')}`]
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
