import {readFile} from 'node:fs/promises'
import {type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument} from 'yaml'
import {ConfigFileError} from './errors.ts'
import {isTree, type Path, type Tree} from './path.ts'
import {type Origin, type Problem, quote} from './problem.ts'

/** A config file as it was read: the plain tree, and where each part of it stands. */
export interface SourceFile {
  readonly tree: Tree
  /** Problems of the file as YAML; where there are any the tree is empty. */
  readonly problems: readonly Problem[]
  /** Where the path, or the nearest part above it, is written. */
  originOf(path: Path): Origin
  /** Whether the file itself sets the path. */
  has(path: Path): boolean
}

/** Reads a YAML file. `label` is how messages name it. Throws ConfigFileError where it cannot be read. */
export async function readSourceFile(path: string): Promise<SourceFile> {
  try {
    return parseSource(await readFile(path, 'utf8'), path)
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new ConfigFileError(`cannot read the config file ${path}: ${code === 'ENOENT' ? 'there is no such file' : code}`, {
      cause: error,
      remedy: ['name the file with --config FILE, or write one: docs/config.md shows how'],
    })
  }
}

function parseSource(text: string, file: string): SourceFile {
  const lines = new LineCounter()
  const document = parseDocument(text, {lineCounter: lines, prettyErrors: false})
  const at = (offset: number): Origin => {
    const {line, col} = lines.linePos(offset)
    return {kind: 'file', file, line, column: col}
  }
  const problems = [...document.errors, ...document.warnings].map((error): Problem => {
    return {severity: 'error', path: '(file)', saw: `text that is no YAML (${error.message})`, allowed: 'YAML', origin: at(error.pos[0])}
  })
  const tree: unknown = problems.length > 0 ? {} : document.toJS()
  if (!isTree(tree) && tree !== null) {
    problems.push({severity: 'error', path: '(file)', saw: quote(tree), allowed: 'a mapping that starts with version: 1', origin: at(0)})
  }
  return {
    tree: isTree(tree) ? tree : {},
    problems,
    originOf: (path) => at(locate(document, path).offset),
    has: (path) => locate(document, path).complete,
  }
}

/** Follows the path as far as the file has it: offset of the last key or element reached, and whether that was all of the path. */
function locate(document: Document, path: Path): {readonly offset: number; readonly complete: boolean} {
  let node = document.contents as Node | null
  let offset = node?.range?.[0] ?? 0
  for (const key of path) {
    const step = child(isAlias(node) ? node.resolve(document) : node, key)
    if (!step) return {offset, complete: false}
    offset = step.offset ?? offset
    node = step.node
  }
  return {offset, complete: true}
}

function child(node: unknown, key: string | number): {readonly node: Node | null; readonly offset: number | undefined} | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key)) as
      | Pair<Node, Node | null>
      | undefined
    return pair && {node: pair.value, offset: pair.key.range?.[0]}
  }
  const item = isSeq(node) ? (node.items[Number(key)] as Node | undefined) : undefined
  return item && {node: item, offset: item.range?.[0]}
}
