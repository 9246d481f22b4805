import { z } from 'zod'

export type Source = 'query' | 'body'

interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
}

/** A longer value would hide the rest of the sentence. */
const MAX_SHOWN = 60
const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
}

/** One sentence about what is wrong: the name of the part, the expected values, and the value found. */
export function schemaSentence(
  schema: z.ZodType,
  value: unknown,
  path: readonly PropertyKey[],
  source: Source,
): string {
  const found = path.reduce(partOf, value)
  const expected = path.reduce<JsonSchema>(schemaAt, jsonSchemaOf(schema, source))
  const name = path.length === 0 ? `The ${source}` : path.map(String).join('.')
  if (source === 'query' && Array.isArray(found) && expected.type !== 'array') {
    return `${name} may be given once, but the query has more than one value for ${name}.`
  }
  const most = maxLengthOf(expected)
  if (typeof found === 'string' && most !== undefined && found.length > most) {
    return `${name} must have at most ${most} characters, but has ${found.length}.`
  }
  return `${name} must be ${expectedOf(expected)}, but ${foundAs(found, path.length === 0 ? '' : source)}.`
}

/** A query schema converts text, so its output type is what the user has to write. A body schema converts nothing. */
function jsonSchemaOf(schema: z.ZodType, source: Source): JsonSchema {
  const io = source === 'query' ? 'output' : 'input'
  return z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema
}

function schemaAt(schema: JsonSchema, key: PropertyKey): JsonSchema {
  return (typeof key === 'number' ? schema.items : schema.properties?.[String(key)]) ?? {}
}

function partOf(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined
}

function expectedOf(schema: JsonSchema): string {
  if (schema.anyOf) return [...new Set(schema.anyOf.map(expectedOf))].join(' or ')
  if (schema.enum) return `one of ${schema.enum.join(', ')}`
  if (schema.const !== undefined) return String(schema.const)
  if (Array.isArray(schema.type))
    return schema.type.map((type) => expectedOf({ ...schema, type })).join(' or ')
  if (schema.type === 'integer') return `a whole number${rangeOf(schema)}`
  if (schema.type === 'number') return `a number${rangeOf(schema)}`
  return TYPES[String(schema.type)] ?? 'something else'
}

/** For a union, the limit of its texts. */
function maxLengthOf({ maxLength, anyOf = [] }: JsonSchema): number | undefined {
  return maxLength ?? anyOf.map(maxLengthOf).find((length) => length !== undefined)
}

function rangeOf({ minimum, maximum }: JsonSchema): string {
  // zod gives every whole number the bounds of safe integers, which tell the client nothing.
  const from = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum
  const to = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum
  if (from !== undefined && to !== undefined) return ` from ${from} to ${to}`
  if (from !== undefined) return ` of at least ${from}`
  return to === undefined ? '' : ` of at most ${to}`
}

function foundAs(value: unknown, source: Source | ''): string {
  const holder = source === '' ? '' : `the ${source} `
  if (value === undefined) return source === '' ? 'is missing' : `${holder}has none`
  if (typeof value === 'object' && value !== null) {
    const kind = Array.isArray(value) ? 'a list' : 'an object'
    return source === '' ? `is ${kind}` : `${holder}has ${kind}`
  }
  const text = String(value)
  const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
  return source === '' ? `is "${shown}"` : `${holder}says "${shown}"`
}
