import {readFileSync} from 'node:fs'
import {homedir} from 'node:os'
import {join} from 'node:path'

/** Maven's own settings of this user. */
export function mavenSettingsFile(): string {
  return join(homedir(), '.m2', 'settings.xml')
}

/**
 * The base address of the repository that settings of Maven send downloads to: the first mirror that stands for the central repository, else the first
 * repository of a profile. Null where the file is missing or names none, or where it asks for a password, which only Maven itself knows how to send.
 */
export function repositoryOfSettings(file: string): string | null {
  const text = readIfThere(file).replace(/<!--[\s\S]*?-->/g, '')
  const mirrors = [...text.matchAll(/<mirror>([\s\S]*?)<\/mirror>/g)].map(([, body = '']) => body)
  const central = mirrors.find((body) => /^(\*|central|external:\*)/.test(element(body, 'mirrorOf') ?? ''))
  const repository = /<repository>([\s\S]*?)<\/repository>/.exec(text)?.[1]
  return element(central ?? repository ?? '', 'url') ?? null
}

function element(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>\\s*([^<]+?)\\s*</${name}>`).exec(xml)?.[1]
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
