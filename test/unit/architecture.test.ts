import {readFileSync} from 'node:fs'
import {dirname, join, relative} from 'node:path'
import {describe, expect, it} from 'vitest'
import {sourceFiles} from '../../scripts/source-files.ts'

const MAX_LINES = 400

/**
 * Who may import whom below src/. Everything may import core/ and files of its own room; the rooms in between know core/ only, and
 * pipeline/ is the one that joins them.
 */
const JOINS: Readonly<Record<string, readonly string[]>> = {
  main: ['cli', 'commands'],
  workers: ['bus', 'store'],
  commands: ['cli', 'cluster', 'config', 'exchanges', 'observability', 'ops', 'pipeline', 'simulate', 'web'],
  cli: ['cluster', 'config', 'observability'],
  pipeline: ['aggregate', 'bus', 'config', 'exchanges', 'observability', 'simulate', 'sinks', 'store', 'web'],
}

interface Line {
  readonly file: string
  readonly number: number
  readonly text: string
}

const src = sourceFiles('src')

/** `lib/bus` for src/lib/bus/x.ts, `commands` for src/commands/x.ts, `main` for src/main.ts. */
function room(path: string): string {
  const parts = relative('src', path).split('/')
  const [first = '', second = ''] = parts
  return first === 'lib' ? second : first.replace(/\.ts$/, '')
}

function lines(files: readonly string[]): Line[] {
  return files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .map((text, index) => ({file, number: index + 1, text})),
  )
}

function found(wrong: readonly Line[]): string[] {
  return wrong.map(({file, number, text}) => `${file}:${number}: ${text.trim()}`)
}

/** Comments may name what code must not. */
function inCode(pattern: RegExp): (line: Line) => boolean {
  return ({text}) => !/^\s*(\/\/|\/?\*)/.test(text) && pattern.test(text)
}

describe('architecture', () => {
  it('lets imports go in one direction only', () => {
    const wrong = lines(src).filter(({file, text}) => {
      const target = /(?:\bfrom|\bimport\(?)\s*['"`](\.[^'"`]+)['"`]/.exec(text)?.[1]
      if (target === undefined || target.includes('node_modules') || target.endsWith('.json')) return false
      const [from, to] = [room(file), room(join(dirname(file), target))]
      return to !== from && to !== 'core' && !JOINS[from]?.includes(to)
    })
    expect(found(wrong)).toEqual([])
  })

  it('lets what all Kafka clients share know none of them', () => {
    const wrong = lines(src.filter((file) => file.startsWith(join('src', 'lib', 'bus', 'kafka', '/')))).filter(
      inCode(/\bfrom '[./]+kafka-/),
    )
    expect(found(wrong)).toEqual([])
  })

  it('keeps core free of everything but Node and zod', () => {
    const wrong = lines(src.filter((file) => room(file) === 'core')).filter(inCode(/\bfrom '(?!\.|node:|zod')/))
    expect(found(wrong)).toEqual([])
  })

  it('ends the process only where commands are run', () => {
    const wrong = lines(src.filter((file) => !['main', 'cli'].includes(room(file)))).filter(inCode(/\bprocess\.(exit|abort)\(/))
    expect(found(wrong)).toEqual([])
  })

  it('throws no bare Error', () => {
    const wrong = lines(src).filter(inCode(/\bthrow new Error\(/))
    expect(found(wrong)).toEqual([])
  })

  it('has no file that is too long to read', () => {
    const long = sourceFiles('src', 'test', 'scripts', 'bench', 'bin')
      .map((file) => ({file, count: readFileSync(file, 'utf8').split('\n').length - 1}))
      .filter(({count}) => count > MAX_LINES)
    expect(long).toEqual([])
  })
})
