import type { MakePipeline, PipelineContext } from '../broker/pipeline.ts'
import { PipelineError } from './errors.ts'
import { type FoundModel, findAndFetch } from './found-model.ts'
import { inferShapes } from './graph/shapes.ts'
import { makePipeline as makeServing, type PipelineOptions } from './make-pipeline.ts'
import { onnxOutline } from './weights/onnx/onnx-outline.ts'

/** What is known of a model's file, and of the way in which the model would be served. */
export interface Inspection {
  readonly path: string
  readonly layers: readonly InspectedLayer[]
  readonly parameters: number
  /** Why the model cannot be served; undefined if it can. */
  readonly refusal: { readonly code: string; readonly message: string } | undefined
  /** What the serving pipeline tells of itself; undefined if there is none. */
  readonly served: unknown
}

export interface InspectedLayer {
  readonly name: string
  readonly className: string
  /** Of the output for one image; undefined where it is not known. */
  readonly shape: readonly number[] | undefined
  readonly parameters: number
}

/** A pipeline without methods: making it inspects a model, and starts the model once. */
export async function makePipeline(options: PipelineOptions, context: PipelineContext) {
  const found = await findAndFetch(options, context.progress)
  const { layers, refusal } = await layersOf(found)
  const verdict = refusal ? { refusal, served: undefined } : await serving(options, context)
  const parameters = layers.reduce((sum, layer) => sum + layer.parameters, 0)
  const inspection: Inspection = { path: found.path, layers, parameters, ...verdict }
  return { methods: [], info: { inspection } }
}

makePipeline satisfies MakePipeline

interface Layers {
  readonly layers: readonly InspectedLayer[]
  readonly refusal?: Inspection['refusal']
}

async function layersOf(found: FoundModel): Promise<Layers> {
  try {
    return found.isOnnx ? { layers: operatorsOf(found.path) } : { layers: await weighedLayers(found) }
  } catch (error) {
    return { layers: await bareLayers(found.path), refusal: refusalOf(error) }
  }
}

async function weighedLayers(found: FoundModel): Promise<InspectedLayer[]> {
  const { layers, weights, close } = await found.open()
  try {
    const shapes = inferShapes(layers)
    return layers.layers.map(({ name, className }) => ({
      name,
      className,
      shape: shapes.get(name),
      parameters: weights.arrays(name).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    }))
  } finally {
    await close()
  }
}

/** The layers of a model that is refused, as far as its file can be read. */
async function bareLayers(path: string): Promise<InspectedLayer[]> {
  try {
    const { peekModel } = await import('./weights/open-model.ts')
    const { layers } = await peekModel(path)
    return (layers?.layers ?? []).map(({ name, className }) => ({
      name,
      className,
      shape: undefined,
      parameters: 0,
    }))
  } catch {
    return []
  }
}

/** Each array of weights counts for the operator that takes it first. */
function operatorsOf(path: string): InspectedLayer[] {
  const { nodes, arrays } = onnxOutline(path)
  const left = new Map(arrays)
  return nodes.map(({ op, inputs, outputs }) => {
    const own = inputs.flatMap((input) => left.get(input) ?? []).length > 0 ? inputs : []
    const parameters = own.reduce(
      (sum, input) => sum + (left.has(input) ? sizeOf(left.get(input) ?? []) : 0),
      0,
    )
    for (const input of own) left.delete(input)
    return { name: outputs[0] ?? '', className: op, shape: undefined, parameters }
  })
}

async function serving(
  options: PipelineOptions,
  context: PipelineContext,
): Promise<Pick<Inspection, 'refusal' | 'served'>> {
  try {
    const pipeline = await makeServing(options, context)
    await pipeline.close()
    return { refusal: undefined, served: pipeline.info }
  } catch (error) {
    return { refusal: refusalOf(error), served: undefined }
  }
}

function refusalOf(error: unknown): Inspection['refusal'] {
  if (error instanceof PipelineError) return { code: error.code, message: error.message }
  throw error
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)
