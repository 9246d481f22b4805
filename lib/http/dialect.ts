import { z } from 'zod'
import type { Config } from '../config/config.ts'
import type { Context } from './context.ts'
import type { ErrorDescription } from './errors.ts'

/** How the clients of a dialect expect to be told that something went wrong. */
export interface ErrorShape {
  readonly schema: z.ZodType
  body(error: ErrorDescription, ctx: Context): unknown
  /** for clients that know one status for all that is wrong with an image */
  status?(error: ErrorDescription): number
}

/** Tandem's own shape. A browser gets a page instead. */
export const OWN_ERROR: ErrorShape = {
  schema: z.object({ error: z.object({ code: z.string(), message: z.string(), requestId: z.string() }) }),
  body: ({ code, message }, ctx) => ({ error: { code, message, requestId: ctx.state.requestId } }),
}

/** A setting that names the model of a dialect. */
export type ModelSetting = Extract<keyof Config, `${string}Model`>

/** One way to ask, as the first page shows it. */
export interface DialectExample {
  readonly says: string
  /** `$URL` stands for the address of the service */
  readonly command: string
  readonly answer: string
}

/** One of the older services whose clients are served here: all that differs from one to the next. */
export interface Dialect<Service = never> {
  /** as the older service is called */
  readonly name: string
  /** Where errors have its shape, also where nothing is served: whole paths in lower case, or all below `/path/*`. */
  readonly paths: readonly string[]
  readonly error: ErrorShape
  /** the setting of its model, and the model of the older service */
  readonly setting: ModelSetting
  readonly originalModel: string
  /** what the images of its clients show */
  readonly subject: 'photograph' | 'digit'
  readonly example: DialectExample
  routes(service: Service): void
}

/** The shape of errors under a path: of the dialect that has this very path, else of the one that has all below it. */
export function errorShapeAt(path: string, dialects: readonly Dialect[]): ErrorShape {
  const asked = path.toLowerCase().replace(/\/$/, '')
  const exact = dialects.find(({ paths }) => paths.includes(asked))
  const around = dialects.find(({ paths }) => paths.some((place) => isBelow(asked, place)))
  return (exact ?? around)?.error ?? OWN_ERROR
}

function isBelow(path: string, place: string): boolean {
  return place.endsWith('/*') && path.startsWith(place.slice(0, -1))
}
