import { mkdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { compilerOf } from '../compile-found.ts'
import type { Engine } from '../engines/engine.ts'
import { openOnnx } from '../engines/onnx/onnx.ts'
import { openSaved, save } from '../engines/onnx/saved-graph.ts'
import { compiledDir, type FoundModel } from '../found-model.ts'
import { compiledModel } from '../graph/compiled-cache.ts'
import { sweepCompiled, unfinishedName } from '../graph/sweep-compiled.ts'
import { publishWhole } from '../graph/whole-folder.ts'
import { formName, formNamed, type WinogradForm } from '../graph/winograd/form.ts'
import { modelIn, writeDurably, writeModel } from '../graph/write-model.ts'
import { measureBatches } from './measure-batches.ts'
import {
  eligibleLayers,
  formsFor,
  groupsOf,
  isExact,
  type LayerAlone,
  type Measuring,
  timeOf,
} from './measure-layers.ts'
import { differenceOf, measureInTurn } from './measure-models.ts'
import { readTuned, TUNING_FILE, type Tuned, type TunedLayer, type Tuning, tuningFolder } from './tuning.ts'

export interface TuneRequest {
  readonly weightsDir: string
  readonly threads: number
  readonly spin: boolean
  readonly maxBatch: number
  readonly winograd: 'auto' | 'off'
  /** Milliseconds that the measurements may take in all. */
  readonly tuningMs: number
}

/** How far the tuning is. Between two steps the machine may be left to other work for any time. */
export interface TuneStep {
  readonly fraction: number
  readonly word: string
}

/** Yields after each measurement. The answer to a yield tells whether other work has disturbed the measurement. */
type Steps<T> = AsyncGenerator<TuneStep, T, boolean>

/** Measures what is fastest on this machine, and keeps the result beside the compiled model. */
export async function* tune(found: FoundModel, request: TuneRequest): Steps<Tuned> {
  const cacheDir = compiledDir(request.weightsDir)
  const { modelPath } = await compiledModel({
    cacheDir,
    key: found.key,
    compile: compilerOf(found, () => undefined),
  })
  const key = { modelPath, threads: request.threads, winograd: request.winograd }
  const known = await readTuned(key)
  if (known) return known
  // What an interrupted tuning has left.
  await sweepCompiled(cacheDir)
  const clock = new Clock(request.tuningMs)
  const { layers, convolutions } =
    request.winograd === 'auto' ? yield* chooseForms(found, request, clock) : { layers: [], convolutions: 0 }
  const chosen = yield* chooseGraph(found, request, { modelPath, layers, clock })
  const { engine, folder, ...times } = chosen
  let batches: Tuning['batches']
  try {
    yield { fraction: 0.9, word: 'measuring batches' }
    const budget = Math.max(clock.left, request.tuningMs * BATCHES_PART)
    batches = yield* repeated(clock, () => measureBatches(engine, request.maxBatch, budget, times.ms), {
      fraction: 0.95,
      word: 'measuring batches',
    })
  } finally {
    await engine.close()
  }
  const tuning: Tuning = { convolutions, ...times, batches }
  await keep(tuning, folder, tuningFolder(key))
  return (await readTuned(key)) ?? { tuning, folder, modelPath: undefined }
}

/** The time that measurements have taken, without the pauses between them. */
class Clock {
  readonly #budgetMs: number
  /** Counts the same work. */
  readonly #whole: Clock | undefined
  #spentMs = 0

  constructor(budgetMs: number, whole?: Clock) {
    this.#budgetMs = budgetMs
    this.#whole = whole
  }

  get left(): number {
    return Math.max(0, this.#budgetMs - this.#spentMs)
  }

  get fraction(): number {
    return Math.min(1, this.#spentMs / this.#budgetMs)
  }

  async count<T>(work: () => Promise<T>): Promise<T> {
    const start = performance.now()
    try {
      return await work()
    } finally {
      this.#spend(performance.now() - start)
    }
  }

  #spend(ms: number): void {
    this.#spentMs += ms
    if (this.#whole) this.#whole.#spend(ms)
  }
}

const MOST_TRIES = 3

/** Repeats a measurement that was disturbed. */
async function* repeated<T>(clock: Clock, work: () => Promise<T>, step: TuneStep): Steps<T> {
  for (let attempt = 1; ; attempt++) {
    const result = await clock.count(work)
    const isDisturbed = yield step
    if (!isDisturbed || attempt === MOST_TRIES) return result
  }
}

/** The parts of the budget for single layers and for batches; the rest is for whole graphs. */
const LAYERS_PART = 0.7
const BATCHES_PART = 0.2

interface Forms {
  readonly layers: readonly TunedLayer[]
  readonly convolutions: number
}

/** The fastest form of each convolution by itself, if a form is faster than the direct convolution. */
async function* chooseForms(found: FoundModel, request: TuneRequest, whole: Clock): Steps<Forms> {
  const { layers: list, weights, close } = await found.open()
  try {
    const { eligible, convolutions } = eligibleLayers(list)
    const clock = new Clock(whole.left * LAYERS_PART, whole)
    const measuring: Measuring = { weights, threads: request.threads, spin: request.spin }
    const layers: TunedLayer[] = []
    for (const group of groupsOf(eligible)) {
      const [first] = group
      if (!first || clock.left === 0) break
      const best = yield* bestForm(first, measuring, clock)
      if (best) layers.push(...group.map(({ layer }) => ({ ...best, name: layer.name })))
    }
    return { layers, convolutions }
  } finally {
    await close()
  }
}

async function* bestForm(
  alone: LayerAlone,
  measuring: Measuring,
  clock: Clock,
): Steps<TunedLayer | undefined> {
  const step = () => ({ fraction: 0.1 + 0.5 * clock.fraction, word: `measuring ${alone.layer.name}` })
  const timed = (form: WinogradForm | undefined, bestMs: number) =>
    repeated(clock, () => timeOf(alone, form, bestMs, measuring), step())
  const directMs = yield* timed(undefined, Number.POSITIVE_INFINITY)
  let best: TunedLayer | undefined
  for (const form of formsFor(alone)) {
    if (clock.left === 0) break
    const bestMs = best?.ms ?? directMs
    const ms = yield* timed(form, bestMs)
    if (ms < bestMs) best = { name: alone.layer.name, form: formName(form), directMs, ms }
  }
  return best
}

/**
 * A layer by itself is measured with an image that comes and goes pixel by pixel. Inside a network, layers beside it may
 * need blocks of channels, and the conversion costs time. So whole graphs decide, with all winners or only clear ones.
 */
const LEAST_GAINS: readonly number[] = [1.02, 1.3, 1.7]
/** A graph that reaches this part of the speed-up that its layers promise is taken without trying another. */
const AS_PROMISED = 0.9
/** A tuned graph must be this much faster: otherwise the direct one, which needs less memory, is kept. */
const LEAST_TOTAL_GAIN = 1.03
/** The largest difference between the answers of the tuned and the direct graph, relative to the largest number. */
const TOLERANCE = 1e-4

interface Measured {
  readonly layers: readonly TunedLayer[]
  readonly directMs: number
  readonly ms: number
  readonly difference: number
}

interface Chosen extends Measured {
  /** Of the chosen graph, to measure batches with. */
  readonly engine: Engine
  /** Where the tuned graph lies, or an empty folder. */
  readonly folder: string
}

interface Choosing {
  readonly found: FoundModel
  readonly request: TuneRequest
  readonly modelPath: string
  readonly direct: Engine
  readonly clock: Clock
}

async function* chooseGraph(
  found: FoundModel,
  request: TuneRequest,
  { modelPath, layers, clock }: { modelPath: string; layers: readonly TunedLayer[]; clock: Clock },
): Steps<Chosen> {
  const { threads, spin } = request
  const { engine: direct } = await openSaved({ threads, spin, device: 'cpu', modelPath })
  const choosing = { found, request, modelPath, direct, clock }
  let best: Chosen | undefined
  const tried = new Set<string>()
  for (const least of LEAST_GAINS) {
    const subset = layers.filter(({ directMs, ms }) => directMs / ms >= least)
    const names = subset.map(({ name }) => name).join('\n')
    if (subset.length === 0 || tried.has(names) || (best && clock.left === 0)) continue
    tried.add(names)
    const graph = yield* tryGraph(choosing, subset)
    const isBetter = graph.directMs / graph.ms > (best ? best.directMs / best.ms : LEAST_TOTAL_GAIN)
    await discard(isBetter ? best : graph)
    if (isBetter) best = graph
    if (isBetter && graph.directMs / graph.ms >= AS_PROMISED * promised(graph)) break
  }
  if (best) {
    await direct.close()
    return best
  }
  const word = 'measuring the direct graph'
  const [ms] = yield* repeated(clock, () => measureInTurn(direct, direct, 0), { fraction: 0.8, word })
  return { layers: [], directMs: ms, ms, difference: 0, engine: direct, folder: await newFolder(modelPath) }
}

/** A graph whose answers differ is tried again without the layers that are the reason. */
async function* tryGraph(choosing: Choosing, layers: readonly TunedLayer[]): Steps<Chosen> {
  const graph = yield* measureGraph(choosing, layers)
  if (graph.difference <= TOLERANCE) return graph
  await discard(graph)
  const exact = yield* exactLayers(choosing, layers)
  const again = yield* measureGraph(choosing, exact)
  // Layers that are exact one by one may still differ together.
  return again.difference <= TOLERANCE ? again : { ...again, ms: Number.POSITIVE_INFINITY }
}

async function* measureGraph(choosing: Choosing, layers: readonly TunedLayer[]): Steps<Chosen> {
  const { found, request, modelPath, direct, clock } = choosing
  const folder = await newFolder(modelPath)
  yield { fraction: 0.65, word: `compiling with ${layers.length} layers` }
  await compileTuned(found, layers, folder)
  const { threads, spin } = request
  const engine = await openOnnx({ threads, spin, device: 'cpu', ...modelIn(folder), saved: true })
  const step = { fraction: 0.75, word: 'measuring the whole model' }
  yield step
  const difference = await differenceOf(engine, direct)
  const [directMs, ms] = yield* repeated(clock, () => measureInTurn(direct, engine, clock.left), step)
  return { layers, directMs, ms, difference, engine, folder }
}

async function* exactLayers(
  { found, request }: Choosing,
  layers: readonly TunedLayer[],
): Steps<TunedLayer[]> {
  const { layers: list, weights, close } = await found.open()
  try {
    const measuring: Measuring = { weights, threads: request.threads, spin: request.spin }
    const alone = new Map(eligibleLayers(list).eligible.map((one) => [one.layer.name, one]))
    const exact: TunedLayer[] = []
    for (const layer of layers) {
      yield { fraction: 0.7, word: `checking ${layer.name}` }
      const [its, form] = [alone.get(layer.name), formNamed(layer.form)]
      if (its && form && (await isExact(its, form, measuring))) exact.push(layer)
    }
    return exact
  } finally {
    await close()
  }
}

/** How many times as fast the whole graph would be if its layers were as fast as by themselves. */
function promised({ layers, directMs }: Measured): number {
  const saved = layers.reduce((sum, layer) => sum + layer.directMs - layer.ms, 0)
  return directMs / Math.max(directMs - saved, 1e-3)
}

async function newFolder(modelPath: string): Promise<string> {
  const compiled = dirname(modelPath)
  const folder = join(dirname(compiled), unfinishedName(basename(compiled)))
  await mkdir(folder)
  return folder
}

async function discard(graph: Chosen | undefined): Promise<void> {
  await graph?.engine.close()
  if (graph) await rm(graph.folder, { recursive: true, force: true })
}

async function compileTuned(found: FoundModel, layers: readonly TunedLayer[], folder: string): Promise<void> {
  const forms = new Map(layers.map(({ name, form }) => [name, formNamed(form) as WinogradForm]))
  const plain = join(folder, 'plain')
  await mkdir(plain)
  await writeModel(
    plain,
    compilerOf(found, () => undefined, forms),
  )
  await save(modelIn(plain).modelPath, folder)
  await rm(plain, { recursive: true, force: true })
}

async function keep(tuning: Tuning, temporary: string, folder: string): Promise<void> {
  try {
    await writeDurably(join(temporary, TUNING_FILE), JSON.stringify(tuning, null, 2))
    await publishWhole(temporary, folder)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}
