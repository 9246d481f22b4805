import './no-telemetry.ts'
import { open, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { sweepSaved, unfinishedName } from '../../graph/sweep-compiled.ts'
import { buildWhole, isWhole, markUsed } from '../../graph/whole-folder.ts'
import { explained, modelIn } from '../../graph/write-model.ts'
import { cpuSignature } from './cpu-signature.ts'
import { type OnnxEngine, type OnnxOptions, openOnnx } from './onnx.ts'
import { sessionOptions } from './onnx-session-options.ts'

/*
 * A graph as ONNX Runtime has optimised it: with fused nodes, and with weights in the layout of this CPU. Such a graph
 * opens in milliseconds, because nothing is left to optimise, and its weights are mapped from the file, so that children
 * share them. The graph is right for this version of ONNX Runtime and for CPUs of this kind alone: both are in its name.
 */

/** The folder of the saved graph is inside the folder of the model that it was made from. */
export function savedFolder(modelPath: string, cpu = cpuSignature()): string {
  return join(dirname(modelPath), savedName(cpu))
}

export const savedName = (cpu = cpuSignature()): string => `onnxruntime-${ort.env.versions.node}-${cpu}`

export interface SavedGraph {
  /** The saved graph, to be opened without optimisation. */
  readonly modelPath: string
}

/** Returns the saved graph of a compiled model, and makes the graph if there is none for this CPU. */
export async function savedGraph(
  modelPath: string,
  folder = savedFolder(modelPath),
  packing?: Packing,
): Promise<SavedGraph> {
  const saved = { modelPath: modelIn(folder).modelPath }
  if (await isWhole(folder)) {
    await markUsed(folder)
    return saved
  }
  // Beside the folder of the compiled model, where the sweep looks for what killed processes have left.
  const compiled = dirname(modelPath)
  await sweepSaved(compiled)
  const temporary = join(dirname(compiled), unfinishedName(basename(compiled)))
  await buildWhole(temporary, folder, (into) => save(modelPath, into, packing))
  return saved
}

/** Weights from this size on are kept outside of the graph, where they can be mapped. */
const EXTERNAL_FROM_BYTES = 1024

/** See SessionRequest. `packed`: the weights are saved in the order that they are packed into. */
export interface Packing {
  readonly prepack?: boolean
  readonly packed?: boolean
}

/** ONNX Runtime writes the graph while it opens the model. */
export async function save(
  modelPath: string,
  folder: string,
  { prepack = false, packed = false }: Packing = {},
): Promise<void> {
  const { modelPath: graph, dataPath } = modelIn(folder)
  await saveTo(folder, modelPath, { prepack, packed })
  // ONNX Runtime cannot read some of the packed weights that it has written itself.
  if (packed && !(await opens(graph))) {
    for (const path of [graph, dataPath]) await rm(path, { force: true })
    await saveTo(folder, modelPath, { prepack, packed: false })
  }
  for (const path of [graph, dataPath]) await flush(path)
}

async function saveTo(
  folder: string,
  modelPath: string,
  { prepack, packed }: Required<Packing>,
): Promise<void> {
  const { modelPath: graph, dataPath } = modelIn(folder)
  const options = sessionOptions({ device: 'cpu', threads: 1, spin: false, prepack })
  const { session: entries } = options.extra as { session: Record<string, unknown> }
  const session = await ort.InferenceSession.create(modelPath, {
    ...options,
    optimizedModelFilePath: graph,
    extra: {
      session: {
        ...entries,
        optimized_model_external_initializers_file_name: basename(dataPath),
        optimized_model_external_initializers_min_size_in_bytes: String(EXTERNAL_FROM_BYTES),
        // In the order of the CPU, weights can be mapped like all others, instead of being copied by each child.
        ...(packed && { save_external_prepacked_constant_initializers: '1' }),
      },
    },
  })
  await session.release()
}

async function opens(graph: string): Promise<boolean> {
  const options = sessionOptions({ device: 'cpu', threads: 1, spin: false, prepack: true, saved: true })
  try {
    await (await ort.InferenceSession.create(graph, options)).release()
    return true
  } catch {
    return false
  }
}

/** Creates the file if it is missing: a graph may have no weights of that size. */
async function flush(path: string): Promise<void> {
  const file = await open(path, 'a')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

export interface OpenedSaved {
  readonly engine: OnnxEngine
  /** Why the model was opened without a saved graph. */
  readonly warning: string | undefined
}

/** Opens a compiled model on the CPU by its saved graph, or else directly: the answers are the same. */
export async function openSaved(options: OnnxOptions, folder?: string): Promise<OpenedSaved> {
  const { modelPath } = options
  const from = folder ?? savedFolder(modelPath)
  let saved: SavedGraph
  try {
    const { prepack = false, packed = false } = options
    saved = await savedGraph(modelPath, from, { prepack, packed })
  } catch (error) {
    const engine = await openOnnx(options)
    const why = explained(error, from, "ONNX Runtime's optimised graph")
    const warning = `${why instanceof Error ? why.message : why} Each start takes longer, and each child takes more memory.`
    return { engine, warning }
  }
  try {
    return { engine: await openOnnx({ ...options, ...saved, saved: true }), warning: undefined }
  } catch {
    // The copy is damaged. The next start makes another one.
    await rm(from, { recursive: true, force: true }).catch(() => undefined)
    return { engine: await openOnnx(options), warning: undefined }
  }
}
