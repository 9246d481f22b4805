import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { runCommand } from '../../support/command.ts'
import { drawn, encoded, inked } from '../../support/digits.ts'
import { type Service, startService, until } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const SIDE = 64

/** Ones and sevens with pens of several widths. */
async function folderOfDigits(): Promise<string> {
  const folder = temporaryFolder()
  for (let i = 0; i < 24; i++) {
    const digit = i % 2 === 0 ? 1 : 7
    const ink = drawn({ digit, width: SIDE, pen: 0.06 + i * 0.004, side: SIDE - (i % 5) * 4 })
    writeFileSync(join(folder, `${i}.png`), await encoded(inked(ink, 250, 20 + i), SIDE, SIDE))
  }
  return folder
}

describe('the precision of a served model', () => {
  const weightsDir = temporaryFolder()
  const quantize = async (...more: string[]) =>
    runCommand('quantize', [
      'digits',
      '--images',
      await folderOfDigits(),
      '--weights-dir',
      weightsDir,
      ...more,
    ])
  const stateOf = async ({ url }: Service) => {
    const { models } = (await (await fetch(`${url}/readyz`)).json()) as {
      models: Record<
        string,
        { state: string; precision: string; quantization: string; error: { code: string } }
      >
    }
    return models.digits
  }
  it('is int8 as soon as the command has made the model, without a restart of the service', async function () {
    // Compiles, calibrates and measures on a machine that may be busy.
    this.timeout(120_000)
    const environment = { MODELS: 'digits', WEIGHTS_DIR: weightsDir, PRECISION: 'int8', TUNING_MS: '0' }
    const service = await startService(environment)
    try {
      const failed = await until(async () => (await stateOf(service))?.error, 'the failure')
      expect(failed.code).to.equal('ERR_NOT_QUANTIZED')
      expect((await quantize('--target', 'much')).code).to.equal(2)
      const { code, stdout, stderr } = await quantize()
      expect(code, stderr).to.equal(0)
      expect(stdout)
        .to.match(/12 pictures to calibrate, 12 others to check/)
        .and.match(/^Written to /m)
      expect(stderr).to.match(/% calibrating with picture .*left/)
      await until(async () => (await stateOf(service))?.state === 'ready', 'int8', 30_000)
      const state = await stateOf(service)
      expect([state?.precision, state?.error]).to.deep.equal(['int8', null])
      expect(state?.quantization).to.match(/^int8: the same best class as float32 for /)
    } finally {
      await service.stop()
    }
  })
})
