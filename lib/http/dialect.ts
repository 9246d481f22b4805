import { z } from 'zod'
import type { Config } from '../config/config.ts'
import type { Context } from './context.ts'
import type { ErrorDescription } from './errors.ts'

/** The form of errors that the clients of a dialect expect. */
export interface ErrorShape {
  readonly schema: z.ZodType
  body(error: ErrorDescription, ctx: Context): unknown
  /** overrides the status, for clients that expect one status for every image error */
  status?(error: ErrorDescription): number
}

/** Tandem's own error shape. Browsers get a page instead. */
export const OWN_ERROR: ErrorShape = {
  schema: z.object({ error: z.object({ code: z.string(), message: z.string(), requestId: z.string() }) }),
  body: ({ code, message }, ctx) => ({ error: { code, message, requestId: ctx.state.requestId } }),
}

/** A setting that names the model of a dialect. */
export type ModelSetting = Extract<keyof Config, `${string}Model`>

/** An example request, shown on the home page. */
export interface DialectExample {
  readonly says: string
  /** `$URL` stands for the address of the service */
  readonly command: string
  readonly answer: string
}

/** Everything that is specific to one of the older services whose clients are served here. */
export interface Dialect<Service = never> {
  /** the name of the older service */
  readonly name: string
  /**
   * Errors on these paths have the dialect's shape, also on paths without a route. A path is in lower case; `/path/*`
   * means all paths below.
   */
  readonly paths: readonly string[]
  readonly error: ErrorShape
  /** the setting that chooses the dialect's model */
  readonly setting: ModelSetting
  /** the model of the older service */
  readonly originalModel: string
  /** what the images of the dialect's clients show */
  readonly subject: 'photograph' | 'digit'
  readonly example: DialectExample
  routes(service: Service): void
}

/** The error shape for a path: a dialect with exactly this path comes first, then one with a `/path/*` above it. */
export function errorShapeAt(path: string, dialects: readonly Dialect[]): ErrorShape {
  const asked = path.toLowerCase().replace(/\/$/, '')
  const exact = dialects.find(({ paths }) => paths.includes(asked))
  const around = dialects.find(({ paths }) => paths.some((place) => isBelow(asked, place)))
  return (exact ?? around)?.error ?? OWN_ERROR
}

function isBelow(path: string, place: string): boolean {
  return place.endsWith('/*') && path.startsWith(place.slice(0, -1))
}
