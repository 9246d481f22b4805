import { loadError } from './model-file-error.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** Names what is wrong, not only that it is: these texts come out of files that anybody may have written. */
export function parseJson(bytes: Uint8Array | string, what: string): unknown {
  try {
    return JSON.parse(
      typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: true }).decode(bytes),
    )
  } catch (cause) {
    throw loadError(`${what} is not valid JSON.`, cause)
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A field of an object, its own and nothing inherited; undefined where there is no object at all. */
export function field(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}
