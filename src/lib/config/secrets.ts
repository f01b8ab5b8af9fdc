import {readFile} from 'node:fs/promises'
import {dirname, resolve} from 'node:path'

const MASK = '********'

/** How a secret may be written, for messages and docs. */
export const SECRET_FORMS = `\${VARIABLE} or file:PATH`

/** A secret text. Printing, logging or serialising it shows the mask; only `reveal` gives the text. */
export class Secret {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  reveal(): string {
    return this.#text
  }
  toString(): string {
    return MASK
  }
  toJSON(): string {
    return MASK
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MASK
  }
}

export type Expanded = {readonly ok: true; readonly text: string; readonly clear: boolean} | {readonly ok: false; readonly saw: string}

/**
 * The text that a secret setting stands for: `${NAME}` is that environment variable, `file:PATH` the trimmed text of a file (relative to the
 * config file's folder), anything else the secret itself, in clear.
 */
export async function expandSecret(value: string, env: NodeJS.ProcessEnv, configFile: string | undefined): Promise<Expanded> {
  const [, variable] = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(value) ?? []
  if (variable !== undefined) {
    const text = env[variable]
    return text ? {ok: true, text, clear: false} : {ok: false, saw: `\${${variable}}, a variable that is not set`}
  }
  if (!value.startsWith('file:')) return {ok: true, text: value, clear: true}
  const path = resolve(configFile === undefined ? '.' : dirname(configFile), value.slice('file:'.length))
  try {
    return {ok: true, text: (await readFile(path, 'utf8')).trim(), clear: false}
  } catch (error) {
    return {ok: false, saw: `file ${path}, which cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`}
  }
}

/** A URL without the password in it; any other text as it is. */
export function maskUrl(text: string): string {
  return text.replace(/^([a-z]+:\/\/[^/:@\s]*:)[^/@\s]+@/i, `$1${MASK}@`)
}
