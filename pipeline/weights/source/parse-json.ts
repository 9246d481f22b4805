import { loadError } from './model-file-error.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** `what` names the text in the error, since the text comes from an untrusted file. */
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

/** An own field of an object, never an inherited one; undefined if the value is not an object. */
export function field(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}
