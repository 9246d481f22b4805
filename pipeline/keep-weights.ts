import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { MakePipeline, PipelineContext } from '../broker/pipeline.ts'
import {
  bytesIn,
  type CompiledForm,
  type CompiledModels,
  compiledForms,
  compiledModels,
} from './compiled-models.ts'
import { builtIns } from './models/built-in.ts'
import { catalog } from './models/catalog.ts'
import type { CatalogEntry } from './models/catalog-entry.ts'
import { findModel } from './models/find-model.ts'
import { checksumOfFile } from './weights/download/checked-file.ts'
import { checksumOf, checksumWords } from './weights/download/checksum.ts'
import { partOf, sizeOf } from './weights/download/part-file.ts'
import { catalogEntry } from './weights/fetch-weights.ts'

/** What to do with the weights in the folder: list all, compare some with what was published, or remove some. */
export interface KeepOptions {
  readonly weightsDir: string
  readonly action: 'list' | 'verify' | 'remove'
  /** empty for all that are there */
  readonly models: readonly string[]
  /** the models of the setting MODELS: those with a file of the user's are listed too */
  readonly served?: readonly ServedModel[]
}

interface ServedModel {
  readonly name: string
  readonly path?: string
  readonly settings?: Readonly<Record<string, unknown>>
}

/** The weights of one model. */
export interface KeptWeights {
  readonly name: string
  /** `own`: a file of the user's; `here`: in the folder, not checked; `part`: the download has begun */
  readonly state: 'built in' | 'own' | 'absent' | 'part' | 'here' | 'right' | 'wrong' | 'removed'
  readonly path: string
  /** the size of the published file, where it is known */
  readonly bytes: number | null
  /** the size of what is there */
  readonly have: number
  /** what is wrong, or could not be checked */
  readonly note?: string
}

export interface Kept {
  readonly weights: readonly (KeptWeights & { readonly compiled: readonly CompiledForm[] })[]
  readonly compiled: CompiledModels
}

/** A pipeline without methods, whose info is the answer. */
export async function makePipeline(options: KeepOptions, { progress }: PipelineContext) {
  const { action, models, weightsDir, served = [] } = options
  const own = new Map(action === 'list' ? served.filter(isOwn).map((one) => [one.name, one]) : [])
  const known = new Set([...own.keys(), ...builtIns.keys(), ...catalog.keys()])
  // An unknown name must not leave the work half done.
  for (const name of models) if (!builtIns.has(name) && !own.has(name)) catalogEntry(name)
  const names = models.length > 0 ? models : [...known]
  const listed = await Promise.all(
    names.map((name) => {
      const one = own.get(name)
      return one ? listOwn(one, weightsDir) : listOne(name, weightsDir)
    }),
  )
  const wanted = action === 'list' ? listed : listed.filter((one) => models.length > 0 || one.have > 0)
  const weights: KeptWeights[] = []
  for (const [at, one] of wanted.entries()) {
    progress(
      at / wanted.length,
      `${action === 'verify' ? 'reading' : 'looking for'} the weights of ${one.name}`,
    )
    weights.push(await done(one, action))
  }
  const compiled = weights.map(async (one) => {
    const request = { weightsDir, model: one.name, ...own.get(one.name) }
    return { ...one, compiled: one.have > 0 ? await compiledForms(request, one.path) : [] }
  })
  const info: Kept = { weights: await Promise.all(compiled), compiled: await compiledModels(weightsDir) }
  return { methods: [], info }
}

makePipeline satisfies MakePipeline

function isOwn({ name, path }: ServedModel): boolean {
  return path !== undefined || (!builtIns.has(name) && !catalog.has(name))
}

async function done(one: KeptWeights, action: KeepOptions['action']): Promise<KeptWeights> {
  if (action === 'list' || one.state === 'built in') return one
  if (action === 'remove') return remove(one)
  return one.state === 'here' ? verify(one, catalogEntry(one.name)) : one
}

async function listOne(name: string, weightsDir: string): Promise<KeptWeights> {
  const here = builtIns.get(name)
  if (here !== undefined) {
    const bytes = await bytesIn(here)
    return { name, state: 'built in', path: here, bytes, have: bytes }
  }
  const entry: { readonly file: string; readonly bytes?: number } = catalogEntry(name)
  const path = join(weightsDir, entry.file)
  const bytes = entry.bytes ?? null
  const whole = await sizeOf(path)
  if (whole !== undefined) return { name, state: 'here', path, bytes, have: whole }
  const part = await sizeOf(partOf(path))
  return { name, state: part === undefined ? 'absent' : 'part', path, bytes, have: part ?? 0 }
}

async function listOwn({ name, path }: ServedModel, weightsDir: string): Promise<KeptWeights> {
  try {
    const choice = await findModel(name, path, weightsDir, [])
    const found = choice.kind === 'own' ? choice.path : ''
    const bytes = await bytesIn(found)
    return { name, state: 'own', path: found, bytes, have: bytes }
  } catch (error) {
    const note = error instanceof Error ? error.message : String(error)
    return { name, state: 'absent', path: path ?? '', bytes: null, have: 0, note }
  }
}

async function verify(one: KeptWeights, entry: CatalogEntry): Promise<KeptWeights> {
  const versions = [entry, ...(entry.older ?? [])]
  const fit = versions.filter(({ bytes }) => bytes === undefined || bytes === one.have)
  if (fit.length === 0)
    return { ...one, state: 'wrong', note: `has ${one.have} bytes instead of ${entry.bytes}` }
  const published = fit.map(checksumOf).filter((checksum) => checksum !== undefined)
  if (published.length === 0) return { ...one, state: 'right', note: 'size alone; no checksum is published' }
  for (const { algorithm, digest } of published) {
    if ((await checksumOfFile(one.path, algorithm)).digest === digest) return { ...one, state: 'right' }
  }
  return {
    ...one,
    state: 'wrong',
    note: `is not the file with the ${published.map(checksumWords).join(' or ')}`,
  }
}

/** Also what a download has left, and what is known of the file; the file itself last, so that an interrupted removal can be repeated. */
async function remove(one: KeptWeights): Promise<KeptWeights> {
  if (one.state === 'absent') return one
  for (const ending of ['.checked', '.part.from', '.part', ''])
    await rm(`${one.path}${ending}`, { force: true })
  return { ...one, state: 'removed' }
}
