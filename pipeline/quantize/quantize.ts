import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { compilerOf } from '../compile-found.ts'
import { PipelineError } from '../errors.ts'
import { compiledDir, type FoundModel } from '../found-model.ts'
import { compiledModel } from '../graph/compiled-cache.ts'
import { compiledName } from '../graph/compiler-version.ts'
import { sweepUnfinished, unfinishedName } from '../graph/sweep-compiled.ts'
import { publishWhole } from '../graph/whole-folder.ts'
import { writeDurably } from '../graph/write-model.ts'
import { type Agreement, decibelsOf } from './agreement.ts'
import { Calibration } from './calibrate.ts'
import { openFloatGraph } from './float-graph.ts'
import { type GivenBack, orderOfReturn } from './give-back.ts'
import { makeRecipe, withFloats } from './make-recipe.ts'
import { networkOf } from './network.ts'
import { noiseOf, type Sample } from './noise.ts'
import type { Pictures } from './pictures.ts'
import {
  CHART_FILE,
  FEWEST_PICTURES,
  mostByte,
  QUANTIZATION_FILE,
  type Quantization,
  quantizedDir,
  quantizedFolder,
  REPORT_FILE,
  SCALES_FILE,
} from './quantized.ts'
import type { Method, Recipe } from './recipe.ts'
import { chartOf, type LayerNoise, type Report, reportText } from './report.ts'
import { scalesTable } from './scales-table.ts'
import { type TrialParts, Trials } from './trials.ts'

export interface QuantizeRequest {
  readonly weightsDir: string
  readonly threads: number
  readonly spin: boolean
  readonly method: Method
  /** Dense layers alone become bytes. */
  readonly dense: boolean
  /** The part of the held-back pictures whose best class must stay the same. */
  readonly target: number
  /** How many times as fast as the float model it must be, by a measurement; without it, a slower one is kept too. */
  readonly leastGain?: number
}

export interface QuantizeStep {
  readonly fraction: number
  readonly word: string
}

type Steps<T> = AsyncGenerator<QuantizeStep, T, void>

export interface QuantizeResult {
  readonly report: Report
  readonly text: string
  /** Undefined if the model is not good enough to be used. */
  readonly folder: string | undefined
}

/** Turns a model into one of bytes, checks it on pictures that were held back, and keeps it if it is good enough. */
export async function* quantize(
  found: FoundModel,
  pictures: Pictures,
  request: QuantizeRequest,
): Steps<QuantizeResult> {
  if (found.isOnnx)
    throw new PipelineError(
      'ERR_MODEL_UNSUPPORTED',
      `${found.path} is an ONNX file, which Tandem runs as it is.`,
    )
  if (pictures.count < FEWEST_PICTURES)
    throw new PipelineError(
      'ERR_MODEL_SETTINGS',
      `There are ${pictures.count} pictures; ${FEWEST_PICTURES} or more are needed to quantize a model.`,
    )
  const { modelPath } = await compiledModel({
    cacheDir: compiledDir(request.weightsDir),
    key: found.key,
    compile: compilerOf(found, () => undefined),
  })
  const graph = await openFloatGraph(modelPath)
  await mkdir(quantizedDir(request.weightsDir), { recursive: true })
  // Beside the compiled models: the folder of results changes when there is a result, and services watch it.
  const parent = compiledDir(request.weightsDir)
  await sweepUnfinished(parent)
  const folder = join(parent, unfinishedName(compiledName(found.key)))
  const quantizer = new Quantizer({ network: networkOf(graph), modelPath, folder, pictures, request })
  try {
    return yield* quantizer.run(found.key)
  } finally {
    await quantizer.close()
    await graph.close()
    await rm(folder, { recursive: true, force: true })
  }
}

interface Parts extends TrialParts {
  readonly request: QuantizeRequest
}

/** Every second picture is held back: sorted pictures of one class then fall into both halves. */
const isHeldBack = (at: number): boolean => at % 2 === 1

/** The pictures that the noise of single tensors is measured with. */
const SAMPLES = 12
/** Each try compiles and runs a whole model. */
const MOST_TRIES = 16

class Quantizer {
  readonly #parts: Parts
  readonly #trials: Trials

  constructor(parts: Parts) {
    this.#parts = parts
    this.#trials = new Trials(parts)
  }

  close(): Promise<void> {
    return this.#trials.close()
  }

  async *run(key: string): Steps<QuantizeResult> {
    const { request } = this.#parts
    const calibration = yield* this.#calibrate()
    const { method } = request
    yield { fraction: 0.4, word: 'rounding weights' }
    const most = mostByte()
    const recipe = await makeRecipe(this.#parts.network, calibration, { method, most })
    const other =
      method === 'minmax'
        ? undefined
        : await makeRecipe(this.#parts.network, calibration, { method: 'minmax', most })
    const noises = yield* this.#noises(recipe)
    const order =
      method === 'minmax' ? [] : orderOfReturn(this.#parts.network, calibration, { recipe, noises })
    const chosen = yield* this.#choose(recipe, order)
    yield { fraction: 0.9, word: 'comparing with min-max' }
    const compared = other && (await this.#trials.agreement(other, 'compared', isHeldBack))
    yield { fraction: 0.93, word: 'measuring the speed' }
    const { floatMs, ms } = await this.#trials.speed(chosen.name)
    const layers = [...noises].map(
      ([tensor, noise]): LayerNoise => ({
        tensor,
        decibels: decibelsOf(noise),
        isFloat: chosen.givenBack.includes(tensor),
      }),
    )
    const { floatBytes, bytes } = await this.#trials.sizes(chosen.name)
    const quantization: Quantization = {
      method,
      digest: await this.#trials.digest(chosen.name),
      precision: request.dense ? 'dense' : 'int8',
      agreement: chosen.agreement,
      target: request.target,
      floatMs,
      ms,
      floatBytes,
      bytes,
    }
    const report: Report = {
      ...quantization,
      minmax: compared,
      layers,
      floats: [...chosen.recipe.floats],
      bits: most === 127 ? 8 : 7,
      pictures: { calibration: calibration.images, heldBack: chosen.agreement.images },
    }
    const isGood = chosen.agreement.top1 >= request.target && floatMs / ms >= (request.leastGain ?? 0)
    const text = reportText(report)
    if (!isGood) return { report, text, folder: undefined }
    const folder = await this.#keep(key, chosen, { quantization, report, text })
    return { report, text, folder }
  }

  async *#calibrate(): Steps<Calibration & { images: number }> {
    const { network, modelPath, pictures, request } = this.#parts
    yield { fraction: 0.02, word: 'opening the model' }
    await mkdir(this.#parts.folder)
    const calibration = await Calibration.open(network, modelPath, request.threads)
    try {
      let images = 0
      for (let at = 0; at < pictures.count; at++) {
        if (isHeldBack(at)) continue
        const word = `calibrating with picture ${++images} of ${Math.ceil(pictures.count / 2)}`
        yield { fraction: 0.05 + 0.35 * (at / pictures.count), word }
        await calibration.add(await pictures.read(at))
      }
      return Object.assign(calibration, { images })
    } finally {
      await calibration.close()
    }
  }

  async *#noises(recipe: Recipe): Steps<Map<string, number>> {
    const { network, modelPath, request } = this.#parts
    const noises = new Map<string, number>()
    if (request.dense) return noises
    const samples = await this.#samples()
    const tensors = [...recipe.tensors.keys()].filter(
      (tensor) => tensor !== recipe.pixels?.tensor && network.producerOf(tensor) !== undefined,
    )
    for (const [i, tensor] of tensors.entries()) {
      yield {
        fraction: 0.45 + 0.25 * (i / tensors.length),
        word: `measuring the noise of layer ${i + 1} of ${tensors.length}`,
      }
      const noise = await noiseOf({ network, recipe, modelPath, threads: request.threads }, tensor, samples)
      noises.set(tensor, noise)
    }
    return noises
  }

  async #samples(): Promise<Sample[]> {
    const { pictures } = this.#parts
    const samples: Sample[] = []
    const step = Math.max(1, Math.floor(pictures.count / SAMPLES / 2)) * 2
    for (let at = 0; at < pictures.count && samples.length < SAMPLES; at += step)
      samples.push({ pixels: await pictures.read(at), answer: await this.#trials.answer(at) })
    return samples
  }

  /** Gives tensors back to floats, until the answers are as wanted on both halves of the pictures. */
  async *#choose(recipe: Recipe, order: readonly GivenBack[]): Steps<Chosen> {
    const { target } = this.#parts.request
    let best: Chosen | undefined
    for (const [attempt, count] of countsUpTo(order.length).entries()) {
      yield { fraction: 0.7 + 0.2 * (attempt / MOST_TRIES), word: `checking with ${count} layers as floats` }
      const part = order.slice(0, count)
      const its = withFloats(
        recipe,
        part.flatMap(({ units }) => units),
      )
      const name = `try-${attempt}`
      const agreement = await this.#trials.agreement(its, name, isHeldBack)
      const chosen = { name, recipe: its, agreement, givenBack: part.map(({ tensor }) => tensor) }
      if (best && agreement.top1 < best.agreement.top1) await this.#trials.remove(name)
      else {
        if (best) await this.#trials.remove(best.name)
        best = chosen
      }
      if (best !== chosen || !isEnough(agreement, target)) continue
      const seen = await this.#trials.agreementOf(name, (at) => !isHeldBack(at))
      if (isEnough(seen, target)) break
    }
    if (!best) throw new Error('no model was tried')
    return best
  }

  async #keep(
    key: string,
    { name, recipe }: Chosen,
    { quantization, report, text }: { quantization: Quantization; report: Report; text: string },
  ): Promise<string> {
    const { request, network } = this.#parts
    const from = this.#trials.pathOf(name)
    await writeDurably(join(from, QUANTIZATION_FILE), JSON.stringify(quantization, null, 2))
    await writeDurably(join(from, REPORT_FILE), text)
    await writeDurably(join(from, CHART_FILE), chartOf(report))
    await writeDurably(join(from, SCALES_FILE), scalesTable(network, recipe))
    const to = quantizedFolder(request.weightsDir, key, quantization.precision)
    // Replaces what another run has made.
    await rm(to, { recursive: true, force: true })
    await publishWhole(from, to)
    return to
  }
}

const isEnough = ({ top1, expected }: Agreement, target: number): boolean =>
  Math.min(top1, expected) >= target

interface Chosen {
  readonly name: string
  readonly recipe: Recipe
  readonly agreement: Agreement
  readonly givenBack: readonly string[]
}

/** Each try gives back more: first single tensors, then ever larger steps, at last all. */
function countsUpTo(all: number): number[] {
  const counts = [0]
  for (let count = 1; count < all && counts.length < MOST_TRIES - 1; count += Math.ceil(count / 5))
    counts.push(count)
  return all > 0 ? [...counts, all] : counts
}
