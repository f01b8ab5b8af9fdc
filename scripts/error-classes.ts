import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {EXIT} from '../src/lib/core/errors.ts'
import {sourceFiles} from './source-files.ts'

export interface ErrorClass {
  readonly code: string
  readonly className: string
  /** Its doc comment on one line; empty where it has none. */
  readonly meaning: string
  /** What a command exits with that fails by it, unless the place that throws it says otherwise. */
  readonly exitCode: number
  readonly file: string
}

const CLASS = /(?:\/\*\*(?<doc>(?:(?!\*\/)[\s\S])*)\*\/\n)?export class (?<name>\w+) extends CoinpipeError \{(?<body>[\s\S]*?)\n\}/g

/** Every error class of src/, read from the text: constructing each would need arguments that only its callers know. */
export function errorClasses(): ErrorClass[] {
  return sourceFiles('src').flatMap((file) => {
    const text = readFileSync(join(import.meta.dirname, '..', file), 'utf8')
    return [...text.matchAll(CLASS)].map(({groups: {doc = '', name = '', body = ''} = {}}) => ({
      code: /readonly code = '(COINPIPE_\w+)'/.exec(body)?.[1] ?? '',
      className: name,
      meaning: doc.replace(/\s*\n\s*\* ?/g, ' ').trim(),
      exitCode: exitCode(/exitCode: EXIT\.(\w+)/.exec(body)?.[1]),
      file,
    }))
  })
}

function exitCode(name = 'unavailable'): number {
  return EXIT[name as keyof typeof EXIT]
}
