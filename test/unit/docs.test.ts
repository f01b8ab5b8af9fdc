import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {describe, expect, it} from 'vitest'
import manifest from '../../oclif.manifest.json' with {type: 'json'}
import {sourceFiles} from '../../scripts/source-files.ts'

const ROOT = join(import.meta.dirname, '../..')
const SKIPPED = ['node_modules', '.git', 'dist', 'coverage']

function pages(folder: string): string[] {
  return readdirSync(join(ROOT, folder), {withFileTypes: true}).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return SKIPPED.includes(entry.name) ? [] : pages(path)
    return entry.name.endsWith('.md') ? [path] : []
  })
}

/** GitHub's name for the place of a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')
}

function anchors(page: string): string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchor(heading))
}

/** Links of a page that lead nowhere; addresses on the web are left alone. */
function broken(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8').replace(/```[\s\S]*?```/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return []
    const [path = '', place] = link.split('#')
    const target = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path)
    if (!existsSync(target)) return [`${page}: ${link}`]
    return place === undefined || anchors(target).includes(place) ? [] : [`${page}: ${link}`]
  })
}

describe('docs', () => {
  it('link to files and headings that are there', () => {
    expect(pages('.').flatMap(broken)).toEqual([])
  })

  it('have an index of all decisions', () => {
    const listed = [...readFileSync(join(ROOT, 'docs/adr/README.md'), 'utf8').matchAll(/\]\((\d{4}-[^)]+\.md)\)/g)].map(([, file]) => file)
    expect(listed).toEqual(readdirSync(join(ROOT, 'docs/adr')).filter((file) => /^\d{4}-/.test(file)))
  })

  it('name every runtime dependency and why it is there', () => {
    const {dependencies} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const listed = [...readFileSync(join(ROOT, 'docs/adr/0002-libraries.md'), 'utf8').matchAll(/^\| (\S+) \| .+ \| .+ \|$/gm)]
    const names = listed.map(([, name]) => name).filter((name) => name !== 'Library')
    expect(names.toSorted()).toEqual(Object.keys(dependencies).toSorted())
  })

  it('say the same in the English and the Korean README', () => {
    const commands = (page: string) =>
      [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^(?:npm run|bin\/coinpipe) [^#\n]*/gm)].map(([line]) => line.trim())
    expect(commands('README.ko.md')).toEqual(commands('README.md'))
  })

  it('name only commands that exist, as the remedies of errors do', () => {
    const known = new Set(Object.keys(manifest.commands).map((id) => id.split(':')[0]))
    const texts = [...pages('.'), ...sourceFiles('src')].map((path) => [path, readFileSync(join(ROOT, path), 'utf8')] as const)
    const named = texts.flatMap(([path, text]) =>
      [...text.matchAll(/(?:: |`)(?:bin\/)?coinpipe (?!has |runs )([a-z]+)/g)].map(([, word = '']) => [path, word] as const),
    )
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter(([, word]) => !known.has(word))).toEqual([])
  })
})
