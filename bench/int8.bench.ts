/**
 * What bytes gain over floats: `npm run bench -- int8 [models] [rounds]`. Weights are synthetic, so that the speed counts and not the
 * agreement. Both graphs are saved ones, and run in turn in this process; memory is that of a process of its own.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openOnnx } from '../pipeline/engines/onnx/onnx.ts'
import { savedGraph } from '../pipeline/engines/onnx/saved-graph.ts'
import { samplePixels } from '../pipeline/engines/sample-pixels.ts'
import { modelIn, writeModel } from '../pipeline/graph/write-model.ts'
import { Calibration } from '../pipeline/quantize/calibrate.ts'
import { emitBytes } from '../pipeline/quantize/emit.ts'
import { openFloatGraph } from '../pipeline/quantize/float-graph.ts'
import { makeRecipe } from '../pipeline/quantize/make-recipe.ts'
import { networkOf } from '../pipeline/quantize/network.ts'
import { mostByte } from '../pipeline/quantize/quantized.ts'
import { smoothImage } from '../test/support/synthetic.ts'
import { machine, percentile, table } from './statistics.ts'
import { prepared } from './synthetic-model.ts'

const [names = 'vgg16,resnet50,inception_v3,mobilenet', rounds = '7'] = process.argv.slice(3)
const threads = availableParallelism()
const BATCHES = [1, 8] as const
const PICTURES = 8
/** Threads of the other session spin for some time after a run. */
const PAUSE_MS = 60

console.log(`${machine()}\n`)
const rows: string[][] = []
for (const name of names.split(',')) rows.push(...(await measure(name)))
console.log(table(['model', 'images', 'float32', 'int8', 'times as fast'], rows))

async function measure(name: string): Promise<string[][]> {
  const model = await prepared(name)
  const bytes = await quantized(model.path())
  const float = await savedGraph(model.path())
  const options = { device: 'cpu', threads, spin: true, saved: true } as const
  const engines = [
    await openOnnx({ ...options, ...float }),
    await openOnnx({ ...options, ...(await savedGraph(bytes, undefined, { prepack: true })), prepack: true }),
  ] as const
  const rows: string[][] = []
  for (const size of BATCHES) {
    const times: [number[], number[]] = [[], []]
    const pixels = samplePixels(engines[0], size)
    for (let round = 0; round <= Number(rounds); round++) {
      for (const [at, engine] of engines.entries()) {
        await pause(PAUSE_MS)
        await engine.run(pixels, size)
        const start = performance.now()
        await engine.run(pixels, size)
        // The first round allocates memory.
        if (round > 0) times[at]?.push(performance.now() - start)
      }
    }
    const [a, b] = [percentile(times[0], 0.5), percentile(times[1], 0.5)]
    rows.push([name, String(size), `${a.toFixed(1)} ms`, `${b.toFixed(1)} ms`, (a / b).toFixed(2)])
  }
  for (const engine of engines) await engine.close()
  return rows
}

/** The path of the model of bytes, which lies beside the compiled model. */
async function quantized(modelPath: string): Promise<string> {
  const folder = join(dirname(modelPath), 'bench-int8')
  const { modelPath: path } = modelIn(folder)
  if (existsSync(path)) return path
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const graph = await openFloatGraph(modelPath)
  const network = networkOf(graph)
  const calibration = await Calibration.open(network, modelPath, threads)
  const [height = 1, width = 1] =
    graph.input.type.tensorType.shape?.dim.slice(1).map(({ dimValue = 1 }) => dimValue) ?? []
  for (let at = 0; at < PICTURES; at++) {
    await calibration.add(
      smoothImage(height, width).map((value, i) => (value + Math.imul(i, at * 977)) & 255),
    )
  }
  await calibration.close()
  const recipe = await makeRecipe(network, calibration, { method: 'squares', most: mostByte() })
  await writeModel(folder, (dataFile, write) => emitBytes(network, recipe, { dataFile }, write))
  await graph.close()
  return path
}
