/** Where a value is in the config: map keys and list positions from the root. */
export type Path = readonly (string | number)[]

export type Tree = Record<string, unknown>

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function getIn(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((node, key) => {
    if (Array.isArray(node)) return node[Number(key)]
    return isTree(node) && Object.hasOwn(node, key) ? node[key] : undefined
  }, root)
}

/** Sets a value, creating the maps on the way. Does nothing where a value that is neither map nor list stands in the way. */
export function setIn(root: Tree, path: Path, value: unknown): void {
  let node: unknown = root
  for (const [index, key] of path.entries()) {
    if (!isTree(node) && !Array.isArray(node)) return
    const container = node as Tree
    if (index === path.length - 1) container[key] = value
    else if (container[key] === undefined || container[key] === null) container[key] = {}
    node = container[key]
  }
}

/** Removes a key or a list element; false where there is none. */
export function deleteIn(root: Tree, path: Path): boolean {
  const parent = getIn(root, path.slice(0, -1))
  const key = path.at(-1)
  if (key === undefined) return false
  if (Array.isArray(parent)) return parent.splice(Number(key), 1).length > 0
  if (!isTree(parent) || !Object.hasOwn(parent, key)) return false
  return delete parent[key]
}

/** The path as people write it: a list element goes by its `name` (`pipelines.krw.source`), else by its position (`pipelines[0]`). */
export function displayPath(root: unknown, path: Path): string {
  let text = ''
  for (const [index, key] of path.entries()) {
    if (typeof key === 'number') {
      const element = getIn(root, path.slice(0, index + 1))
      const name = isTree(element) ? element.name : undefined
      text += typeof name === 'string' && name !== '' ? `.${name}` : `[${key}]`
    } else {
      text += index === 0 ? key : `.${key}`
    }
  }
  return text
}
