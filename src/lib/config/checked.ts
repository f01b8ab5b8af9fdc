import {isDeepStrictEqual} from 'node:util'
import type {Layered} from './layers.ts'
import {displayPath, getIn, isTree, type Path, type Tree} from './path.ts'
import type {Problem} from './problem.ts'
import type {FileConfig} from './schema.ts'

/** What rules look at. */
export interface Checked {
  readonly config: FileConfig
  /** As the user wrote it, wrong parts included: names in it count as known. */
  readonly layered: Layered
  /** The tree that `config` was made from: its positions are those of `config`. */
  readonly tree: Tree
}

export type Rule = (checked: Checked) => Problem[]

/** A problem with the setting at `path` of `checked.tree`. */
export function problem(checked: Checked, path: Path, saw: string, allowed: string, extra: Partial<Problem> = {}): Problem {
  const {layered, tree} = checked
  return {severity: 'error', path: displayPath(tree, path), saw, allowed, origin: layered.positionOf(userPath(checked, path)), ...extra}
}

/** Taking out a wrong pipeline moves the later ones up: the position in the file is found again by name. */
function userPath({layered, tree}: Checked, path: Path): Path {
  const [section, index, ...rest] = path
  const pipelines = layered.tree.pipelines
  if (section !== 'pipelines' || typeof index !== 'number' || !Array.isArray(pipelines)) return path
  const own = getIn(tree, ['pipelines', index])
  const at = pipelines.findIndex((pipeline) => isTree(own) && isTree(pipeline) && pipeline.name === own.name)
  return at < 0 ? path : [section, at, ...rest]
}

/** False where something in this part was wrong by itself: what it would say together with others is then unknown. */
export function isIntact(checked: Checked, path: Path): boolean {
  return isDeepStrictEqual(getIn(checked.tree, path), getIn(checked.layered.tree, userPath(checked, path)))
}
