import { PipelineError } from '../../errors.ts'
import { loadError } from './model-file-error.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** `what` names the text in the error, since the text comes from an untrusted file. */
export function parseJson(bytes: Uint8Array | string, what: string): unknown {
  try {
    const text = typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    mustBeFlat(text, what)
    return JSON.parse(text)
  } catch (cause) {
    if (cause instanceof PipelineError) throw cause
    throw loadError(`${what} is not valid JSON.`, cause)
  }
}

/** Models are nested eight deep, with a few brackets for each. */
const MAX_NESTING = 200

/** JSON.parse takes any depth, but whatever walks through the values later, such as JSON.stringify, would overflow the stack. */
function mustBeFlat(text: string, what: string): void {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '"') i = endOfText(text, i)
    else if (character === '[' || character === '{') depth++
    else if (character === ']' || character === '}') depth--
    if (depth > MAX_NESTING)
      throw loadError(`${what} has values nested more than ${MAX_NESTING} deep, which is the limit.`)
  }
}

/** The place of the quote that ends a text in JSON. */
function endOfText(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i
  }
  return text.length
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An own field of an object, never an inherited one; undefined if the value is not an object. */
export function field(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}
