import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type ExposedGraph, openExposedGraph } from '../engines/onnx/exposed-graph.ts'
import { openOnnx } from '../engines/onnx/onnx.ts'
import { openSaved } from '../engines/onnx/saved-graph.ts'
import { modelIn, writeModel } from '../graph/write-model.ts'
import { measureInTurn } from '../tuning/measure-models.ts'
import { type Agreement, AgreementMeter } from './agreement.ts'
import { withOutputs } from './calibrate.ts'
import { emitBytes } from './emit.ts'
import type { Network } from './network.ts'
import type { Pictures } from './pictures.ts'
import type { Recipe } from './recipe.ts'

export interface TrialParts {
  readonly network: Network
  /** The float model. */
  readonly modelPath: string
  /** Where models are written, each under its name. */
  readonly folder: string
  readonly pictures: Pictures
  readonly request: {
    readonly threads: number
    readonly spin: boolean
    /** Dense layers alone become bytes. */
    readonly dense: boolean
  }
}

const SPEED_MS = 3_000

/** Writes models of bytes, and compares them with the float model. */
export class Trials {
  readonly #parts: TrialParts
  #float: ExposedGraph | undefined
  // What the float model answers, by picture.
  readonly #answers = new Map<number, Float32Array>()

  constructor(parts: TrialParts) {
    this.#parts = parts
  }

  async close(): Promise<void> {
    await this.#float?.close()
  }

  pathOf(name: string): string {
    return join(this.#parts.folder, name)
  }

  /** Writes a model and compares its answers with those of the float model. */
  async agreement(recipe: Recipe, name: string, isWanted: (at: number) => boolean): Promise<Agreement> {
    const { network, request } = this.#parts
    const into = this.pathOf(name)
    await mkdir(into)
    const only = request.dense ? ({ only: 'matrix' } as const) : {}
    await writeModel(into, (dataFile, write) => emitBytes(network, recipe, { dataFile, ...only }, write))
    return this.agreementOf(name, isWanted)
  }

  async agreementOf(name: string, isWanted: (at: number) => boolean): Promise<Agreement> {
    const { pictures, request } = this.#parts
    const { modelPath } = modelIn(this.pathOf(name))
    const engine = await openOnnx({
      modelPath,
      device: 'cpu',
      threads: request.threads,
      spin: false,
      prepack: true,
    })
    try {
      const meter = new AgreementMeter()
      for (let at = 0; at < pictures.count; at++) {
        if (!isWanted(at)) continue
        const answer = await engine.run(await pictures.read(at), 1)
        meter.add(await this.answer(at), answer.subarray(0, engine.outputSize))
      }
      return meter.get()
    } finally {
      await engine.close()
    }
  }

  /** Of the float model. */
  async answer(at: number): Promise<Float32Array> {
    const known = this.#answers.get(at)
    if (known) return known
    const { network, modelPath, pictures, request } = this.#parts
    this.#float ??= await openExposedGraph({
      model: withOutputs(network.graph, []),
      folder: dirname(modelPath),
      threads: request.threads,
      prepack: false,
    })
    const [output] = network.graph.outputs
    const found = await this.#float.run(await pictures.read(at))
    const answer = (found.get(output?.name ?? '')?.numbers ?? new Float32Array()).slice()
    this.#answers.set(at, answer)
    return answer
  }

  async speed(name: string): Promise<{ floatMs: number; ms: number }> {
    const { modelPath, request } = this.#parts
    const { threads, spin } = request
    const { engine: float } = await openSaved({ modelPath, threads, spin, device: 'cpu' })
    const bytes = await openOnnx({
      ...modelIn(this.pathOf(name)),
      threads,
      spin,
      device: 'cpu',
      prepack: true,
    })
    try {
      const [floatMs, ms] = await measureInTurn(float, bytes, SPEED_MS)
      return { floatMs, ms }
    } finally {
      await float.close()
      await bytes.close()
    }
  }

  async sizes(name: string): Promise<{ floatBytes: number; bytes: number }> {
    const { dataPath } = modelIn(dirname(this.#parts.modelPath))
    const [float, bytes] = await Promise.all([stat(dataPath), stat(modelIn(this.pathOf(name)).dataPath)])
    return { floatBytes: float.size, bytes: bytes.size }
  }

  async digest(name: string): Promise<string> {
    const { modelPath, dataPath } = modelIn(this.pathOf(name))
    const hash = createHash('sha256')
    for (const path of [modelPath, dataPath]) {
      for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
    }
    return hash.digest('hex').slice(0, 16)
  }

  remove(name: string): Promise<void> {
    return rm(this.pathOf(name), { recursive: true, force: true })
  }
}
