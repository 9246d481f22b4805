import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inputHints } from '../../../pipeline/facts/input-hints.ts'
import { lastFunction } from '../../../pipeline/facts/last-function.ts'
import { ownScaling } from '../../../pipeline/facts/own-scaling.ts'
import { compileGraph } from '../../../pipeline/graph/compile.ts'
import type { LayerList } from '../../../pipeline/models/networks/layer-list.ts'
import { readKerasConfig } from '../../../pipeline/weights/keras/keras-config.ts'
import { notedSettings } from '../../../pipeline/weights/noted-settings.ts'
import { onnxOutline } from '../../../pipeline/weights/onnx/onnx-outline.ts'
import { openModel } from '../../../pipeline/weights/open-model.ts'
import { goldenJson } from '../../../test/support/golden.ts'
import type { Examiner } from '../target.ts'
import { foreseen } from './examine-images.ts'
import { unbundled } from './weights-bundle.ts'

const CODES = ['ERR_MODEL_LOAD', 'ERR_MODEL_UNSUPPORTED']
/** What a file that holds only weights is bound to. */
const WITHOUT_LAYERS = ['formats', 'minivgg', 'topology.keras2.json'] as const

/** Everything from the bytes of a file to the compiled graph. ONNX Runtime is not asked: of an ONNX file, the outline is read. */
export async function openExaminer(): Promise<Examiner> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-fuzz-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const [part, ...path] = WITHOUT_LAYERS
  const { list } = readKerasConfig(goldenJson(part, ...path))
  return {
    async examine(input) {
      const file = unbundled(input, join(folder, 'input'))
      try {
        return await read(file, folder, list)
      } catch (error) {
        return foreseen(error, CODES)
      }
    },
    async close() {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A file with layers of its own ignores the others. */
async function read(file: string, tmpDir: string, otherwise: LayerList): Promise<string> {
  await notedSettings(file)
  const opened = await openModel(file, { layers: otherwise, kernels: 'correlation', tmpDir })
  const { layers = otherwise, weights, format, close } = opened
  try {
    if (weights === undefined) return `${format}: ${outlineFacts(file)}`
    const options = { preprocessing: 'none', input: 'uint8', dataFile: 'model.data' } as const
    await compileGraph(layers, weights, options, async () => undefined)
    return `${format}: compiled`
  } finally {
    await close()
  }
}

/** What the outline of an ONNX file tells of its input and its output. */
function outlineFacts(file: string): string {
  const outline = onnxOutline(file)
  const { order } = inputHints(outline)
  const scaling = ownScaling(outline) === undefined ? 'without' : 'with'
  return `${order}, ${lastFunction(outline) ?? 'unknown'}, ${scaling} scaling`
}
