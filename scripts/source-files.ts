import {readdirSync} from 'node:fs'
import {join} from 'node:path'

const ROOT = join(import.meta.dirname, '..')

/** Paths of every TypeScript or JavaScript file below the folders, relative to the project and sorted. */
export function sourceFiles(...folders: readonly string[]): string[] {
  return folders
    .flatMap((folder) => readdirSync(join(ROOT, folder), {recursive: true, encoding: 'utf8'}).map((name) => join(folder, name)))
    .filter((path) => /\.(ts|js|mjs)$/.test(path))
    .sort()
}
