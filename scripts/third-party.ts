import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const PACKAGE_FOLDER = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/
const TERMS = /^(licen[cs]e|notice)/i

/** The terms of all packages that `inputs`, files of a bundle, come from: the licences ask that they go where the code goes. */
export function thirdPartyLicenses(inputs: Iterable<string>): string {
  const folders = new Set([...inputs].flatMap((path) => PACKAGE_FOLDER.exec(path)?.[0] ?? []))
  const sections = [...folders].map(describe).sort()
  return `Other people's work in this bundle, and its terms.\n\n${sections.join('\n')}`
}

function describe(folder: string): string {
  const {name, version, license} = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'))
  const files = readdirSync(join(ROOT, folder))
    .filter((file) => TERMS.test(file))
    .sort()
  const texts = files.map((file) => readFileSync(join(ROOT, folder, file), 'utf8').trim())
  return [`${'='.repeat(80)}\n${name} ${version} (${license})`, ...texts, ''].join('\n\n')
}
