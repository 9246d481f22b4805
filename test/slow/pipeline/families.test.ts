import { rmSync } from 'node:fs'
import { expect } from 'chai'
import { openCompiled, openExported, type Turns } from '../../../bench/exported/turns.ts'
import { relativeError } from '../../support/compiled.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const TOLERANCE = 1e-4

/** Networks without golden data of their own, and one of each family. */
const NETWORKS = [
  'mobilenet_v3_small',
  'mobilenet_v3_large',
  'mobilenet_v3_small_minimalistic',
  'mobilenet_v3_large_minimalistic',
  'efficientnetb0',
  'efficientnetb1',
  'efficientnetv2b1',
  'efficientnetv2b3',
  'efficientnetv2s',
  'densenet169',
  'resnetrs50',
  'resnetrs101',
  'regnetx002',
  'regnetx080',
  'regnety002',
  'regnety040',
  'convnext_small',
  'nasnet_large',
]

describe('networks of the catalog, compared with the graphs that exporters write for them', function () {
  this.timeout(120_000)
  for (const name of NETWORKS) {
    it(`give the same numbers: ${name}`, async () => {
      const folder = temporaryFolder()
      const open: Turns[] = []
      try {
        open.push(await openCompiled(name, folder))
        for (const exporter of ['tf2onnx', 'torch'] as const)
          open.push(await openExported(name, exporter, folder))
        const [own = new Float32Array(), ...others] = await Promise.all(open.map((one) => one.answer(1)))
        expect(own).to.have.length(1000)
        expect(own.every(Number.isFinite)).to.equal(true)
        for (const other of others) expect(relativeError(own, other)).to.be.below(TOLERANCE)
      } finally {
        for (const one of open) await one.close()
        rmSync(folder, { recursive: true, force: true })
      }
    })
  }
})
