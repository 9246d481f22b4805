import { isAbsolute } from 'node:path'
import { inspect } from 'node:util'

/** An error as plain strings, which can always be cloned, whatever the original error carries. */
export interface WireError {
  name: string
  code: string
  message: string
  stack: string
  cause?: WireError
  /** Set for an error that a retry cannot fix: the files to watch for a change. */
  permanent?: { watch: string[] }
}

/** An error of the pipeline, rebuilt in the parent. `stack` is the stack in the child. */
export class ChildError extends Error {
  readonly code: string
  /** True for an error that a retry cannot fix. */
  readonly permanent: boolean

  constructor(wire: WireError) {
    super(wire.message, wire.cause && { cause: new ChildError(wire.cause) })
    this.name = wire.name
    this.code = wire.code
    this.permanent = wire.permanent !== undefined
    this.stack = wire.stack
  }
}

export function isPermanent(error: unknown): boolean {
  return error instanceof ChildError && error.permanent
}

// A message may quote a huge input, and an error may be its own cause; neither may flood the pipe or the log.
const MAX_TEXT = 8_192
export const MAX_CAUSES = 5
// Large models have about a hundred files. The broker checks each watched file every second.
export const MAX_WATCHED = 256

export function encodeError(thrown: unknown, depth = 0): WireError {
  if (!isError(thrown)) {
    const message = `The pipeline threw ${describe(thrown)}, which is not an Error.`
    return { name: 'NonError', code: 'ERR_PIPELINE', message, stack: message }
  }
  const code = read(thrown, 'code')
  const cause = depth < MAX_CAUSES ? read(thrown, 'cause') : undefined
  const isPermanent = depth === 0 && read(thrown, 'permanent') === true
  return {
    name: text(read(thrown, 'name'), 'Error'),
    code: typeof code === 'string' && code !== '' ? text(code, '') : 'ERR_PIPELINE',
    message: text(read(thrown, 'message'), ''),
    stack: text(read(thrown, 'stack'), ''),
    ...(cause === undefined ? {} : { cause: encodeError(cause, depth + 1) }),
    ...(isPermanent ? { permanent: { watch: watchedPaths(read(thrown, 'watch')) } } : {}),
  }
}

/** `instanceof` itself may throw, for a Proxy with a trap that throws. */
function isError(thrown: unknown): thrown is Error {
  try {
    return thrown instanceof Error
  } catch {
    return false
  }
}

/** Reading a field may throw, if the field is a getter. */
function read(error: Error, field: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[field]
  } catch {
    return undefined
  }
}

function text(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT) : otherwise
}

/** The files to watch, out of what a pipeline says. */
export function watchedPaths(watch: unknown): string[] {
  if (!Array.isArray(watch)) return []
  const absolute = watch.filter((path): path is string => typeof path === 'string' && isAbsolute(path))
  return absolute.filter((path) => path.length <= MAX_TEXT).slice(0, MAX_WATCHED)
}

function describe(value: unknown): string {
  try {
    return inspect(value, { depth: 1, maxArrayLength: 10, maxStringLength: 200 }).slice(0, MAX_TEXT)
  } catch {
    return `a value of type ${typeof value}`
  }
}
