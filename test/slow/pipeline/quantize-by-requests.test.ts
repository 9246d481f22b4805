import { expect } from 'chai'
import { findAndFetch } from '../../../pipeline/found-model.ts'
import { quantize } from '../../../pipeline/quantize/quantize.ts'
import { quantizeByRequests } from '../../../pipeline/quantize/quantize-by-requests.ts'
import { quantizationSentence, quantizedFolder, readQuantized } from '../../../pipeline/quantize/quantized.ts'
import { readRefusal, refusalFile } from '../../../pipeline/quantize/refusal.ts'
import { pictures } from '../../support/pictures-of-noise.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const weightsDir = temporaryFolder()
const OPTIONS = { weightsDir, threads: 1, spin: false, winograd: 'auto' } as const
const PICTURES = pictures(20, [28, 28, 1])

const found = () => findAndFetch({ model: 'digits', weightsDir }, () => undefined)

/** The number of steps, and what came at their end. */
async function toTheEnd<T>(steps: AsyncGenerator<unknown, T, void>): Promise<{ count: number; value: T }> {
  for (let count = 0; ; count++) {
    const next = await steps.next()
    if (next.done) return { count, value: next.value }
  }
}

describe('quantizing a model with pictures of requests', () => {
  it('keeps why a model that does not agree enough is not used, and no model', async () => {
    // More than all pictures.
    const { value } = await toTheEnd(
      quantizeByRequests(await found(), PICTURES, { ...OPTIONS, target: 1.01 }),
    )
    expect(value).to.equal(null)
    const { key } = await found()
    const refusal = await readRefusal(refusalFile(weightsDir, key), 1.01)
    expect(refusal).to.deep.include({ images: 10, target: 1.01, leastGain: 1.1 })
    expect(refusal?.top1).to.be.within(0.5, 1)
    expect(refusal?.gain).to.be.within(0.01, 100)
    expect(await readQuantized(quantizedFolder(weightsDir, key, 'int8'))).to.equal(undefined)
  }).timeout(30_000)

  it('leaves a model as it is that the command has made meanwhile', async () => {
    const { key } = await found()
    const request = { ...OPTIONS, method: 'minmax', dense: false, target: 0 } as const
    const { value: made } = await toTheEnd(quantize(await found(), PICTURES, request))
    const { count, value } = await toTheEnd(
      quantizeByRequests(await found(), PICTURES, { ...OPTIONS, target: 1 }),
    )
    expect(count).to.equal(0)
    expect(value).to.equal(quantizationSentence(made.report))
    const kept = await readQuantized(quantizedFolder(weightsDir, key, 'int8'))
    expect(kept?.quantization.digest).to.equal(made.report.digest)
  }).timeout(30_000)
})
