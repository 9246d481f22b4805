import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { runCommand } from '../../support/command.ts'
import { drawn, encoded, inked } from '../../support/digits.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const PICTURES = 24

describe('tandem quantize', () => {
  const folder = temporaryFolder()
  const images = join(folder, 'pictures')
  const run = (command: string, args: readonly string[]) =>
    runCommand(command, args, { WEIGHTS_DIR: folder, DEVICE: 'cpu', MODELS: 'digits' })
  before(async () => {
    mkdirSync(images)
    for (let at = 0; at < PICTURES; at++) {
      const width = 60 + 2 * at
      const ink = inked(drawn({ digit: at % 2 === 0 ? 1 : 7, width }), 255, 3 * at)
      writeFileSync(join(images, `${at}.png`), await encoded(ink, width, width))
    }
  })

  it('makes a model of bytes, which weights list shows and predict uses', async () => {
    const { code, stdout, stderr } = await run('quantize', ['digits', '--images', images])
    expect(code, stderr).to.equal(0)
    expect(stdout)
      .to.match(/12 pictures to calibrate, 12 others to check/)
      .and.match(/^Written to .*int8/m)
    const list = await run('weights', ['list', 'digits', '--json'])
    const [{ compiled }] = JSON.parse(list.stdout).weights
    expect(compiled.map(({ precision }: { precision: string }) => precision)).to.deep.equal(['fp32', 'int8'])
    const args = [join(images, '1.png'), '--ndjson', '--model', 'digits', '--precision', 'int8']
    const predicted = await run('predict', args)
    expect(predicted.code, predicted.stderr).to.equal(0)
    expect(JSON.parse(predicted.stdout).predictions[0].label).to.equal('7')
  })

  it('ends with 3 where the pictures are too few, and with 2 for a wrong command line', async () => {
    const few = await run('quantize', ['digits', '--images', join(images, '1*.png')])
    expect(few.code).to.equal(3)
    expect(few.stderr).to.contain('ictures; 16 ')
    for (const [args, sentence] of [
      [[], 'quantize needs the name or path of one model.'],
      [['digits'], 'quantize needs --images, a folder of pictures.'],
      [
        ['digits', '--images', images, '--method', 'best'],
        '--method must be squares or minmax, but is "best".',
      ],
      [
        ['digits', '--images', images, '--target', '97'],
        '--target must be a number from 0 to 1, but is "97".',
      ],
    ] as const) {
      expect(await run('quantize', args)).to.deep.equal({ code: 2, stdout: '', stderr: `${sentence}\n` })
    }
  })
})
