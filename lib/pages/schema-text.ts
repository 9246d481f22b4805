/** The part of JSON Schema that zod writes for the shapes of the API. */
export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly additionalProperties?: JsonSchema | boolean
  readonly description?: string
  readonly format?: string
}

const STEP = '  '

/** A schema in the notation of TypeScript, `{ label: string, probability: number }[]`, with descriptions as comments. */
export function schemaText(schema: JsonSchema, indent = ''): string {
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.anyOf) return schema.anyOf.map((one) => schemaText(one, indent)).join(`\n${indent}| `)
  if (schema.type === 'array') return `${schemaText(schema.items ?? {}, indent)}[]`
  if (schema.type === 'object') return objectText(schema, indent)
  if (schema.format === 'binary') return 'file'
  return String(schema.type ?? 'anything')
}

function objectText(
  { properties = {}, required = [], additionalProperties }: JsonSchema,
  indent: string,
): string {
  const inner = indent + STEP
  const lines = Object.entries(properties).map(([name, property]) => {
    const mark = required.includes(name) ? '' : '?'
    const note = property.description === undefined ? '' : `  // ${property.description}`
    return `${inner}${name}${mark}: ${schemaText(property, inner)}${note}`
  })
  const others = typeof additionalProperties === 'object' ? additionalProperties : undefined
  if (others && Object.keys(others).length > 0) lines.push(`${inner}[name]: ${schemaText(others, inner)}`)
  return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${indent}}`
}
