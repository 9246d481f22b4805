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
import { formNamed, type WinogradForm } from '../graph/winograd/form.ts'
import { modelIn, writeDurably, writeModel } from '../graph/write-model.ts'
import { measureBatches } from './measure-batches.ts'
import {
  type DirectLayer,
  eligibleLayers,
  errorOf,
  formsFor,
  isExact,
  type LayerAlone,
  type Measuring,
  measureDirect,
  measureForm,
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
    batches = yield* repeated(clock, () => measureBatches(engine, request.maxBatch, clock.left), {
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

/** The part of the budget that single layers may take; the rest is for whole graphs and batches. */
const LAYERS_PART = 0.6

interface Forms {
  readonly layers: readonly TunedLayer[]
  readonly convolutions: number
}

async function* chooseForms(found: FoundModel, request: TuneRequest, whole: Clock): Steps<Forms> {
  const { layers: list, weights, close } = await found.open()
  try {
    const { eligible, convolutions } = eligibleLayers(list)
    const groups = groupedBySizes(eligible)
    const clock = new Clock(whole.left * LAYERS_PART, whole)
    const measuring: Measuring = { weights, threads: request.threads, spin: request.spin }
    const layers: TunedLayer[] = []
    for (const group of groups.values()) {
      const [first, ...others] = group
      if (!first || clock.left === 0) break
      const best = yield* bestForm(first, measuring, clock)
      if (!best) continue
      layers.push(best)
      layers.push(...(yield* sameForm(others, best, measuring, clock)))
    }
    return { layers, convolutions }
  } finally {
    await close()
  }
}

function groupedBySizes(layers: readonly LayerAlone[]): Map<string, LayerAlone[]> {
  const groups = new Map<string, LayerAlone[]>()
  for (const layer of layers) groups.set(layer.sizes, [...(groups.get(layer.sizes) ?? []), layer])
  return groups
}

async function* bestForm(
  alone: LayerAlone,
  measuring: Measuring,
  clock: Clock,
): Steps<TunedLayer | undefined> {
  const step = () => ({ fraction: 0.1 + 0.5 * clock.fraction, word: `measuring ${alone.layer.name}` })
  const direct: DirectLayer = yield* repeated(clock, () => measureDirect(alone, measuring), step())
  let best: TunedLayer | undefined
  for (const form of formsFor(alone)) {
    if (clock.left === 0) break
    const limit = best?.ms ?? direct.ms
    const tried = yield* repeated(clock, () => measureForm(alone, form, direct, limit, measuring), step())
    if (tried && tried.ms < limit) best = tried
  }
  return best
}

/** Layers with the same sizes get the same form without being timed, if their own weights stay within the tolerance. */
async function* sameForm(
  others: readonly LayerAlone[],
  best: TunedLayer,
  measuring: Measuring,
  clock: Clock,
): Steps<TunedLayer[]> {
  const form = formNamed(best.form) as WinogradForm
  const same: TunedLayer[] = []
  for (const alone of others) {
    const error = await clock.count(() => errorOf(alone, form, measuring))
    yield { fraction: 0.1 + 0.5 * clock.fraction, word: `checking ${alone.layer.name}` }
    if (isExact(error)) same.push({ ...best, name: alone.layer.name, error })
  }
  return same
}

/**
 * A layer by itself is measured with an image that comes and goes pixel by pixel. Inside a network, layers beside it may
 * need blocks of channels, and the conversion costs time. So whole graphs decide, with all winners or only clear ones.
 */
const LEAST_GAINS: readonly number[] = [1.02, 1.3, 1.7]
/** A tuned graph must be this much faster: otherwise the direct one, which needs less memory, is kept. */
const LEAST_TOTAL_GAIN = 1.03
/** The largest difference between the answers of the tuned and the direct graph, relative to the largest number. */
const TOLERANCE = 1e-4

interface Chosen {
  readonly layers: readonly TunedLayer[]
  readonly directMs: number
  readonly ms: number
  /** Of the chosen graph, to measure batches with. */
  readonly engine: Engine
  /** Where the tuned graph lies, or an empty folder. */
  readonly folder: string
}

async function* chooseGraph(
  found: FoundModel,
  request: TuneRequest,
  { modelPath, layers, clock }: { modelPath: string; layers: readonly TunedLayer[]; clock: Clock },
): Steps<Chosen> {
  const session = { threads: request.threads, spin: request.spin, device: 'cpu' } as const
  const { engine: direct } = await openSaved({ ...session, modelPath })
  const newFolder = async () => {
    const compiled = dirname(modelPath)
    const folder = join(dirname(compiled), unfinishedName(basename(compiled)))
    await mkdir(folder)
    return folder
  }
  let best: Chosen | undefined
  const tried = new Set<string>()
  for (const least of LEAST_GAINS) {
    const subset = layers.filter(({ directMs, ms }) => directMs / ms >= least)
    const name = subset.map(({ name }) => name).join('\n')
    if (subset.length === 0 || tried.has(name) || (best && clock.left === 0)) continue
    tried.add(name)
    const folder = await newFolder()
    yield { fraction: 0.65, word: `compiling with ${subset.length} layers` }
    await compileTuned(found, subset, folder)
    const engine = await openOnnx({ ...session, ...modelIn(folder), saved: true })
    yield { fraction: 0.7, word: 'measuring the whole model' }
    const difference = await differenceOf(engine, direct)
    const times = yield* repeated(clock, () => measureInTurn(direct, engine, clock.left), {
      fraction: 0.75,
      word: 'measuring the whole model',
    })
    const [directMs, ms] = times
    const isBetter = difference <= TOLERANCE && directMs / ms >= LEAST_TOTAL_GAIN
    if (isBetter && (!best || directMs / ms > best.directMs / best.ms)) {
      await best?.engine.close()
      if (best) await rm(best.folder, { recursive: true, force: true })
      best = { layers: subset, directMs, ms, engine, folder }
    } else {
      await engine.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
  if (best) {
    await direct.close()
    return best
  }
  const [ms] = yield* repeated(clock, () => measureInTurn(direct, direct, 0), {
    fraction: 0.8,
    word: 'measuring the direct graph',
  })
  return { layers: [], directMs: ms, ms, engine: direct, folder: await newFolder() }
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
