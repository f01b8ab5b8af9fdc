import {InvalidInputError} from '../core/errors.ts'
import {NumberText} from '../core/json-exact.ts'
import {ABOUT, type About, type Comparison, type Expression, type Operand} from './tail-filter.ts'

/** Far more than people write; it bounds what brackets can do to the stack. */
const MAX_LENGTH = 4096
const MAX_DEPTH = 100

const OPERAND = `a field (.price), ${ABOUT.join(', ')}, headers.<name>, a text or a number`

/**
 * Reads a filter: comparisons of operands, joined by `!`, `&&` and `||` in this order of strength, and brackets. Throws InvalidInputError that points
 * at the place where something else was expected.
 */
export function parseFilter(source: string): Expression {
  const parser = new Parser(source)
  if (source.length > MAX_LENGTH) parser.fail(`at most ${MAX_LENGTH} characters`, MAX_LENGTH)
  return parser.whole()
}

/** By recursive descent; every method reads from where the one before stopped. */
class Parser {
  readonly #source: string
  #at = 0
  #depth = 0

  constructor(source: string) {
    this.#source = source
  }

  whole(): Expression {
    const expression = this.#or()
    this.#skipBlanks()
    if (this.#at < this.#source.length) this.fail('&&, || or the end')
    return expression
  }

  #or(): Expression {
    let left = this.#and()
    while (this.#take(/\|\|/y)) left = {kind: 'or', left, right: this.#and()}
    return left
  }

  #and(): Expression {
    let left = this.#unary()
    while (this.#take(/&&/y)) left = {kind: 'and', left, right: this.#unary()}
    return left
  }

  #unary(): Expression {
    if (++this.#depth > MAX_DEPTH) this.fail(`less than ${MAX_DEPTH} brackets and ! inside each other`)
    const expression = this.#plainUnary()
    this.#depth -= 1
    return expression
  }

  #plainUnary(): Expression {
    if (this.#take(/!(?!=)/y)) return {kind: 'not', operand: this.#unary()}
    if (!this.#take(/\(/y)) return this.#comparison()
    const inner = this.#or()
    if (!this.#take(/\)/y)) this.fail(') or an operator')
    return inner
  }

  #comparison(): Expression {
    const left = this.#operand()
    if (this.#take(/=~/y)) return {kind: 'match', operand: left, pattern: this.#pattern()}
    const operator = this.#take(/[=!]=|[<>]=?/y)?.[0] as Comparison | undefined
    if (operator !== undefined) return {kind: 'compare', operator, left, right: this.#operand()}
    // A lone constant is nearly always a mistake.
    if (left.kind === 'literal') this.fail('==, !=, <, <=, >, >= or =~')
    return {kind: 'holds', operand: left}
  }

  #operand(): Operand {
    const number = this.#take(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y)
    if (number) return {kind: 'literal', value: new NumberText(number[0])}
    const text = this.#take(/(?=["'])/y) && this.#text()
    if (text !== null) return {kind: 'literal', value: text}
    if (this.#peek(/[.[]/y)) return {kind: 'field', steps: this.#steps()}
    const start = this.#at
    const word = this.#take(/[A-Za-z_][\w-]*/y)?.[0]
    if (word === 'true' || word === 'false') return {kind: 'literal', value: word === 'true'}
    if (word === 'null') return {kind: 'literal', value: null}
    if (word === 'headers') return {kind: 'header', name: this.#headerName()}
    if (isAbout(word)) return {kind: 'about', name: word}
    return this.fail(OPERAND, word === undefined ? undefined : start)
  }

  /** `.a.b`, `."a b"`, `[0]`, `.bids[0][1]`; a dot alone is the whole payload. */
  #steps(): (string | number)[] {
    const steps: (string | number)[] = []
    for (;;) {
      const index = this.#takeHere(/\[(-?\d{1,9})\]/y)?.[1]
      const name = index === undefined ? this.#takeHere(/\.([A-Za-z_$][\w$-]*)/y)?.[1] : undefined
      if (index !== undefined) steps.push(Number(index))
      else if (name !== undefined) steps.push(name)
      else if (this.#takeHere(/\.(?=["'])/y)) steps.push(this.#text())
      else if (this.#takeHere(/\./y) && steps.length > 0) return this.fail('the name of a field', this.#at)
      else if (this.#peekHere(/\[/y)) return this.fail('the number of an item, such as [0]', this.#at)
      else return steps
    }
  }

  #headerName(): string {
    const dot = this.#takeHere(/\./y)
    const name = dot && (this.#takeHere(/[\w-]+/y)?.[0] ?? (this.#peekHere(/["']/y) ? this.#text() : null))
    return name ?? this.fail('the name of a header, such as headers.error-code', this.#at)
  }

  /** In double or single quotes; a backslash takes the next character as it is, save `\n` and `\t`. */
  #text(): string {
    const start = this.#at
    const match = this.#takeHere(/"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/sy)
    if (!match) return this.fail('a text that ends with the quote that it starts with', start)
    return (match[1] ?? match[2] ?? '').replace(/\\(.)/gs, (_, letter: string) => (letter === 'n' ? '\n' : letter === 't' ? '\t' : letter))
  }

  #pattern(): RegExp {
    this.#skipBlanks()
    const start = this.#at
    const [, body, flags] = this.#takeHere(/\/((?:[^/\\\n]|\\.)+)\/([a-z]*)/y) ?? []
    if (body === undefined) return this.fail('a pattern, such as /^BTC-/', start)
    if (!/^[imsu]*$/.test(flags ?? '')) return this.fail('after the pattern only i, m, s or u', this.#at - (flags?.length ?? 0))
    try {
      return new RegExp(body, flags)
    } catch (error) {
      return this.fail(`a pattern that can be used (${(error as Error).message})`, start)
    }
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    this.#skipBlanks()
    return this.#takeHere(pattern)
  }

  #takeHere(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#source)
    if (match) this.#at += match[0].length
    return match
  }

  #peek(pattern: RegExp): boolean {
    this.#skipBlanks()
    return this.#peekHere(pattern)
  }

  #peekHere(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    return pattern.test(this.#source)
  }

  #skipBlanks(): void {
    this.#takeHere(/\s*/y)
  }

  fail(expected: string, place?: number): never {
    if (place === undefined) this.#skipBlanks()
    const at = place ?? this.#at
    const seen = at < this.#source.length ? `'${this.#source.slice(at, at + 12)}'` : 'the end'
    // One line, so that the caret stands below its place.
    const from = Math.max(0, at - 60)
    const excerpt = this.#source.slice(from, at + 20).replace(/\s/g, ' ')
    throw new InvalidInputError(`the filter cannot be read at character ${at + 1}: expected ${expected}; saw ${seen}`, {
      remedy: [excerpt, `${' '.repeat(at - from)}^`],
    })
  }
}

function isAbout(word: string | undefined): word is About {
  return (ABOUT as readonly string[]).includes(word ?? '')
}
