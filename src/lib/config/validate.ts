/** One key at a time: the zod schema's findings as problems that say where, what was seen and what is allowed. */

import type {z} from 'zod'
import {LATER_EXCHANGES, LATER_SINK_KINDS} from './catalogue.ts'
import {type JsonSchema, schemaFor} from './json-schema.ts'
import type {Layered} from './layers.ts'
import {deleteIn, displayPath, getIn, type Path, type Tree} from './path.ts'
import {didYouMean, type Problem, quote} from './problem.ts'
import {configJsonSchema, configSchema, type FileConfig} from './schema.ts'
import {SYMBOL, suggestSymbol} from './values.ts'

type Issue = z.core.$ZodIssue

export interface Validated {
  /** What is left when everything that is wrong is taken out, for the checks across keys; undefined where nothing is. */
  readonly config: FileConfig | undefined
  /** The tree that `config` was made from. */
  readonly tree: Tree
  readonly problems: readonly Problem[]
}

/** Zod finds everything wrong in one pass; what is wrong is then taken out until the rest is a config. */
export function validate(layered: Layered): Validated {
  const tree = structuredClone(layered.tree)
  let problems: Problem[] | undefined
  for (;;) {
    const result = configSchema.safeParse(tree, {reportInput: true})
    if (result.success) return {config: result.data, tree, problems: problems ?? []}
    const {issues} = result.error
    problems ??= issues.flatMap((issue) => describe(issue, layered))
    // From the back, so that taking out a list element does not shift the ones still to be taken out.
    const taken = issues.toReversed().map((issue) => takeOut(tree, issue))
    if (!taken.includes(true)) return {config: undefined, tree, problems}
  }
}

function takeOut(tree: Tree, issue: Issue): boolean {
  const path = issue.path as Path
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => deleteIn(tree, [...path, key])).includes(true)
  // A missing required key: what it is missing from cannot be used.
  return deleteIn(tree, path) || deleteIn(tree, path.slice(0, -1))
}

function describe(issue: Issue, layered: Layered): Problem[] {
  const {tree} = layered
  const path = issue.path as Path
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key], layered))
  const value = issue.code === 'invalid_key' ? path.at(-1) : getIn(tree, path)
  const choices = choicesOf(issue)
  const suggestion = issue.message === SYMBOL ? suggestSymbol(String(value)) : didYouMean(value, choices)
  return [
    {
      severity: 'error',
      path: displayPath(tree, path),
      saw: `${quote(value)}${comesLater(path, value) ? ', which this version does not have yet' : ''}`,
      allowed: choices.length > 0 ? choices.join(', ') : allowed(issue),
      ...(suggestion === undefined ? {} : {suggestion}),
      origin: layered.positionOf(path),
    },
  ]
}

function choicesOf(issue: Issue): string[] {
  if (issue.code === 'invalid_key') return issue.issues.flatMap(choicesOf)
  if (issue.code === 'invalid_union') return 'options' in issue ? (issue.options ?? []).map(String) : []
  return issue.code === 'invalid_value' ? issue.values.map(String) : []
}

function allowed(issue: Issue): string {
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message
  return (issue.code === 'invalid_type' && CONTAINERS[issue.expected]) || issue.message
}

/** Words for the types that have no phrase of their own in the schema. */
const CONTAINERS: Readonly<Record<string, string>> = {object: 'a mapping', record: 'a mapping', array: 'a list', boolean: 'true, false'}

function unknownKey(path: Path, layered: Layered): Problem {
  const {tree} = layered
  const key = String(path.at(-1))
  const {properties, propertyNames} = schemaAt(path.slice(0, -1), tree)
  const keys = (propertyNames?.enum ?? Object.keys(properties ?? {})).map(String)
  const suggestion = didYouMean(key, keys)
  return {
    severity: 'error',
    path: displayPath(tree, path),
    saw: 'an unknown key',
    allowed: keys.join(', '),
    ...(suggestion === undefined ? {} : {suggestion}),
    origin: layered.positionOf(path),
  }
}

function schemaAt(path: Path, tree: Tree): JsonSchema {
  return path.reduce<JsonSchema>((schema, key, index) => {
    const entry = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
    const inner = (typeof key === 'number' ? schema.items : (schema.properties?.[key] ?? entry)) ?? {}
    return schemaFor(inner, getIn(tree, path.slice(0, index + 1)))
  }, configJsonSchema())
}

function comesLater(path: Path, value: unknown): boolean {
  if (path[0] === 'sinks' && path.at(-1) === 'kind') return LATER_SINK_KINDS.includes(String(value))
  return path[0] === 'pipelines' && path.at(-1) === 'exchange' && LATER_EXCHANGES.includes(String(value))
}
