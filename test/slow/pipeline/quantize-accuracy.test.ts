import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { compilerOf } from '../../../pipeline/compile-found.ts'
import { openOnnx } from '../../../pipeline/engines/onnx/onnx.ts'
import { openSaved } from '../../../pipeline/engines/onnx/saved-graph.ts'
import { type FoundModel, findAndFetch } from '../../../pipeline/found-model.ts'
import { compiledModel } from '../../../pipeline/graph/compiled-cache.ts'
import { readImage } from '../../../pipeline/image/read-image.ts'
import type { Pictures } from '../../../pipeline/quantize/pictures.ts'
import { type QuantizeResult, quantize } from '../../../pipeline/quantize/quantize.ts'
import { readQuantized } from '../../../pipeline/quantize/quantized.ts'
import { topIndices } from '../../../pipeline/top-indices.ts'
import { validationDigits } from '../../support/digits.ts'
import { describeWithShared, shared } from '../../support/shared.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

interface Shown {
  readonly label: number
  readonly pixels: Uint8Array
}

/** The classes by the float model and by the model of bytes, the best five of each picture. */
async function bothAnswers(found: FoundModel, weightsDir: string, folder: string, shown: readonly Shown[]) {
  const compile = compilerOf(found, () => undefined)
  const { modelPath } = await compiledModel({
    cacheDir: join(weightsDir, 'compiled'),
    key: found.key,
    compile,
  })
  const options = { threads: 2, spin: false, device: 'cpu' } as const
  const float = await openOnnx({ modelPath, ...options })
  const its = await readQuantized(folder)
  const { engine: bytes } = await openSaved({ modelPath: its?.modelPath ?? '', prepack: true, ...options })
  try {
    const answers = []
    for (const { pixels, label } of shown) {
      const best = topIndices(await float.run(pixels, 1), 5)
      answers.push({ label, float: best, bytes: topIndices(await bytes.run(pixels, 1), 5) })
    }
    return answers
  } finally {
    await float.close()
    await bytes.close()
  }
}

async function quantized(
  found: FoundModel,
  weightsDir: string,
  shown: readonly Shown[],
): Promise<QuantizeResult> {
  const pictures: Pictures = {
    count: shown.length,
    read: async (at) => shown[at]?.pixels ?? new Uint8Array(),
  }
  const request = {
    weightsDir,
    threads: 2,
    spin: false,
    method: 'squares',
    dense: false,
    target: 0.97,
  } as const
  const steps = quantize(found, pictures, request)
  for (;;) {
    const next = await steps.next()
    if (next.done) return next.value
  }
}

describeWithShared('the accuracy of int8', () => {
  it('is that of floats within one photograph of a hundred, for a MobileNet', async () => {
    const folder = shared('data', 'calibration')
    const weightsDir = temporaryFolder()
    const settings = { preprocessing: 'tf', labels: 'imagenet' }
    const path = shared('data', 'mobilenet_v1_0.25_224', 'model.json')
    const found = await findAndFetch({ model: 'mobilenet', path, weightsDir, settings }, () => undefined)
    const options = {
      height: 224,
      width: 224,
      interpolation: 'nearest',
      crop: 'stretch',
      orientation: true,
    } as const
    const more = { colourProfile: false, maxPixels: 10 ** 7, maxSeconds: 10 } as const
    const shown: Shown[] = []
    for (const name of readdirSync(folder)
      .filter((file) => file.endsWith('.jpg'))
      .sort()) {
      const pixels = await readImage(readFileSync(join(folder, name)), { ...options, ...more })
      shown.push({ label: Number(name.slice(0, 4)), pixels })
    }
    // One half is not seen at all: neither by the calibration, nor by the choice of the layers that stay float.
    const [seen, unseen] = [0, 1].map((half) => shown.filter((_, at) => at % 2 === half)) as [
      Shown[],
      Shown[],
    ]
    const result = await quantized(found, weightsDir, seen)
    const answers = await bothAnswers(found, weightsDir, result.folder ?? '', unseen)
    const right = (which: 'float' | 'bytes', top: number) =>
      answers.filter((answer) => answer[which].slice(0, top).includes(answer.label)).length
    expect(right('bytes', 1)).to.be.within(right('float', 1) - 1, right('float', 1) + 4)
    expect(right('bytes', 5)).to.be.within(right('float', 5) - 1, right('float', 5) + 4)
    const same = answers.filter(({ float, bytes }) => float[0] === bytes[0]).length
    expect(same).to.be.greaterThan(92)
    expect(result.report.minmax?.top1).to.be.lessThan(result.report.agreement.top1)
  })

  it('changes none of a thousand digits', async () => {
    const weightsDir = temporaryFolder()
    const found = await findAndFetch({ model: 'digits', weightsDir }, () => undefined)
    const digits = validationDigits()
    // Sorted by digit: every tenth has all of them.
    const result = await quantized(
      found,
      weightsDir,
      digits.filter((_, at) => at % 10 === 0),
    )
    const answers = await bothAnswers(found, weightsDir, result.folder ?? '', digits)
    expect(answers).to.have.length(1000)
    expect(answers.filter(({ float, bytes }) => float[0] !== bytes[0])).to.deep.equal([])
  })
})
