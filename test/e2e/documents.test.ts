import { execFile } from 'node:child_process'
import { copyFileSync, cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { examplesIn, shapeOf } from '../support/examples.ts'
import { allReady, type Service, startService } from '../support/service.ts'
import { writeSmallMobilenet } from '../support/small-mobilenet.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const run = promisify(execFile)
const DIGITS = fileURLToPath(new URL('../../weights/digits', import.meta.url))
const PUBLIC = fileURLToPath(new URL('../../public/', import.meta.url))

describe('The examples of the documents', () => {
  const folder = temporaryFolder()
  let service: Service

  before(async function () {
    this.timeout(60_000)
    cpSync(PUBLIC, join(folder, 'public'), { recursive: true })
    copyFileSync(join(PUBLIC, 'examples/cat.jpg'), join(folder, 'photo.jpg'))
    writeSmallMobilenet(join(folder, 'small'))
    writeFileSync(join(folder, 'small.json'), '{"labels":"imagenet","preprocessing":"tf","top":5}')
    cpSync(DIGITS, join(folder, 'mobile'), { recursive: true })
    writeFileSync(join(folder, 'mobile.json'), '{"kind":"features","preprocessing":"unit"}')
    service = await startService({
      MODELS: `small=${join(folder, 'small/model.json')},digits,mobile`,
      WEIGHTS_DIR: folder,
      // All examples send the same photograph, and show answers that are not from the cache.
      CACHE_ENTRIES: '0',
      FEEDBACK_DIR: join(folder, 'feedback'),
    })
    await allReady(service)
  })
  after(() => service.stop())

  for (const file of ['README.md', 'docs/api.md']) {
    it(`in ${file} run, and give answers of the shape that the document shows`, async function () {
      this.timeout(60_000)
      const examples = examplesIn(file, service.url)
      const commands = examples.flatMap((example) => example.commands)
      expect(commands.filter(isCurl)).to.have.length.greaterThan(4)
      for (const { commands, answer } of examples) {
        const outputs = []
        for (const command of commands.filter(isCurl)) outputs.push(await outputOf(command, folder))
        if (answer === undefined) continue
        expect(shapeOf(JSON.parse(outputs.at(-1) ?? '')), commands.join('\n')).to.deep.equal(shapeOf(answer))
      }
    })
  }
})

const isCurl = (command: string) => command.startsWith('curl ')

/** Runs a command as a reader would paste it. An answer with an error status fails the test. */
async function outputOf(command: string, cwd: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', command.replace(/^curl/, 'curl -sS --fail-with-body')], { cwd })
  return stdout
}
