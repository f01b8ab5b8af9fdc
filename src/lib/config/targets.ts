/**
 * What environment variables and `--set` can change: every value (and list of values) of the format, for maps the entries that the file has.
 * Names are made from the paths, never taken apart, so a name can only mean what is listed here.
 */

import {TOPICS} from '../core/topics.ts'
import {cassandraNames, IMPLICIT_CASSANDRA} from './cassandra-sink.ts'
import {type JsonSchema, schemaFor} from './json-schema.ts'
import {displayPath, getIn, isTree, type Path, type Tree} from './path.ts'

export interface Target {
  readonly path: Path
  /** As `--set` and messages write it: `topics.market.trade.partitions`. */
  readonly display: string
  /** `COINPIPE_TOPICS_MARKET_TRADE_PARTITIONS`. */
  readonly env: string
  readonly schema: JsonSchema
}

const MARKET_TOPIC_NAMES = [TOPICS.trade, TOPICS.book, TOPICS.ticker, TOPICS.candle]

/** Every target of the format for a file's tree. */
export function listTargets(schema: JsonSchema, tree: Tree): Target[] {
  return walk(schema, [], tree)
}

function walk(schema: JsonSchema, path: Path, tree: Tree): Target[] {
  if (schema.properties) {
    return Object.entries(schema.properties).flatMap(([key, property]) => walk(property, [...path, key], tree))
  }
  if (typeof schema.additionalProperties === 'object') {
    const entry = schema.additionalProperties
    return entryKeys(path, tree).flatMap((key) => walk(schemaFor(entry, nodeAt([...path, key], tree)), [...path, key], tree))
  }
  if (schema.items?.properties) {
    const element = schema.items
    const list = getIn(tree, path)
    return Array.isArray(list) ? list.flatMap((_, index) => walk(element, [...path, index], tree)) : []
  }
  const display = displayPath(tree, path)
  return [{path, display, env: envName(display), schema}]
}

/** What the file has there; the sink `cassandra` also where it has none of that kind. */
function nodeAt(path: Path, tree: Tree): unknown {
  const isImplicit = path[0] === 'sinks' && path[1] === IMPLICIT_CASSANDRA && cassandraNames(tree).includes(IMPLICIT_CASSANDRA)
  return isImplicit ? {kind: 'cassandra'} : getIn(tree, path)
}

/** Entries of a map: those of the file; the market topics and a sink of kind `cassandra` always; for `pin` every group. */
function entryKeys(path: Path, tree: Tree): string[] {
  const own = keysAt(tree, path)
  if (path.length === 1 && path[0] === 'topics') return [...new Set([...own, ...MARKET_TOPIC_NAMES])]
  if (path.length === 1 && path[0] === 'sinks') return [...new Set([...own, ...cassandraNames(tree)])]
  if (path.at(-1) === 'pin') return [...new Set([...own, ...keysAt(tree, ['groups'])])]
  return own
}

function keysAt(tree: Tree, path: Path): string[] {
  const node = getIn(tree, path)
  return isTree(node) ? Object.keys(node) : []
}

/** `serve.port` → `COINPIPE_SERVE_PORT`, `spill.maxBytes` → `COINPIPE_SPILL_MAX_BYTES`; what is no letter or digit becomes `_`. */
export function envName(display: string): string {
  const snake = display.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/[^A-Za-z0-9]+/g, '_')
  return `COINPIPE_${snake.toUpperCase()}`
}

/** The value that a text stands for; text that does not fit stays text, and the schema then says what is allowed. */
export function fromText(text: string, schema: JsonSchema): unknown {
  if (schema.type === 'array') {
    const items = schema.items ?? {}
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
      .map((item) => fromText(item, items))
  }
  const constant = (schema.enum ?? [schema.const]).find((choice) => typeof choice !== 'string' && String(choice) === text)
  if (constant !== undefined) return constant
  if (schema.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  const isNumber = (schema.type === 'integer' || schema.type === 'number') && /^-?\d+$/.test(text)
  return isNumber ? Number(text) : text
}
