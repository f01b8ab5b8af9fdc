import {isTree} from './path.ts'

/** Set in the file only: variables and `--set` find other settings by it. */
export const FIXED_META = {fixed: true} as const

/** The part of JSON Schema that describes this config. */
export interface JsonSchema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | boolean
  readonly propertyNames?: JsonSchema
  readonly items?: JsonSchema
  /** Kinds of a mapping, told apart by the constant of their key `kind`. */
  readonly oneOf?: readonly JsonSchema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly secret?: boolean
  /** Set in the file only. */
  readonly fixed?: boolean
}

/** The schema for `node`: of several kinds the one that its `kind` names; where it names none, a schema that has only `kind`. Others pass through. */
export function schemaFor(schema: JsonSchema, node: unknown): JsonSchema {
  const {oneOf} = schema
  if (oneOf === undefined) return schema
  const kind = isTree(node) ? node.kind : undefined
  const kinds = oneOf.map((variant) => variant.properties?.kind?.const)
  return oneOf[kinds.indexOf(kind)] ?? {type: 'object', properties: {kind: {type: 'string', enum: kinds, ...FIXED_META}}}
}
