import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { violations } from './support/import-rules.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))

describe('the directions of imports', () => {
  it('are kept by every source file', () => {
    const files = [
      'StartService.ts',
      'tandem.ts',
      'commands.ts',
      ...['client', 'lib', 'broker', 'fleet', 'pipeline'].flatMap(sourcesIn),
    ]
    expect(files.length).to.be.greaterThan(20)
    expect(
      files.flatMap((path) => violations({ path, text: readFileSync(join(ROOT, path), 'utf8') })),
    ).to.deep.equal([])
  })

  const bad: Record<string, [path: string, text: string]> = {
    'the pipeline from lib': ['lib/a.ts', "import { makePipeline } from '../pipeline/make-pipeline.ts'"],
    'the pipeline from lib, only as a type': ['lib/a.ts', "import type { P } from '../pipeline/a.ts'"],
    'the pipeline from lib, dynamically': ['lib/routes/a.ts', "await import('../../pipeline/a.ts')"],
    'a script of the pages from lib': ['lib/pages/a.ts', "import { say } from '../../public/say.js'"],
    'the words of the pages outside of lib/pages': [
      'lib/routes/a.ts',
      "import { percent } from '../../public/figure-words.js'",
    ],
    'lib from broker': ['broker/a.ts', "export { log } from '../lib/process/log.ts'"],
    'a package from broker': ['broker/a.ts', "import { pino } from 'pino'"],
    'the fleet from broker': ['broker/a.ts', "import type { Port } from '../fleet/port.ts'"],
    'lib from fleet': ['fleet/a.ts', "import type { Config } from '../lib/config/config.ts'"],
    'the pipeline from fleet': ['fleet/a.ts', "import { makePipeline } from '../pipeline/make-pipeline.ts'"],
    'an engine from fleet': ['fleet/a.ts', "import ort from 'onnxruntime-node'"],
    'any other package from fleet': ['fleet/a.ts', "import { pino } from 'pino'"],
    'the fleet from lib, before the role is known': [
      'lib/a.ts',
      "import { WebHost } from '../fleet/fleet.ts'",
    ],
    'lib from pipeline': ['pipeline/models/a.ts', "import\n'../../lib/log.ts'"],
    'broker from pipeline, other than the contract, as a type': [
      'pipeline/a.ts',
      "import type { Broker } from '../broker/broker.ts'",
    ],
    'the contract from pipeline, other than as a type': [
      'pipeline/a.ts',
      "import type { A } from './b.ts'\nimport { x } from '../broker/pipeline.ts'",
    ],
    'broker from pipeline': ['pipeline/a.ts', "import { BrokerError } from '../broker/errors.ts'"],
    'a test from lib': ['lib/a.ts', "import { x } from '../test/support/x.ts'"],
    'inference in the web process': ['lib/a.ts', "import ort from 'onnxruntime-node'"],
    'the environment outside config': ['broker/a.ts', 'const level = process.env.LOG_LEVEL'],
  }
  for (const [what, [path, text]] of Object.entries(bad)) {
    it(`do not allow ${what}`, () => expect(violations({ path, text })).to.have.length(1))
  }

  it('allow what they should', () => {
    const good: [string, string][] = [
      ['StartService.ts', "import { createApp } from './lib/app.ts'"],
      ['lib/routes/a.ts', "import type { Broker } from '../../broker/broker.ts'\nimport Koa from 'koa'"],
      ['fleet/a.ts', "import { connect } from 'amqplib'\nimport { Pending } from '../broker/pending.ts'"],
      [
        'lib/models/a.ts',
        "import type { ModelHost } from '../../fleet/fleet.ts'\nawait import('../../fleet/fleet.ts')",
      ],
      ['lib/pages/a.ts', "import { percent } from '../../public/figure-words.js'"],
      ['broker/a.ts', "import { nanoid } from 'nanoid'\nimport { fork } from 'node:child_process'"],
      ['pipeline/engines/onnx.ts', "import ort from 'onnxruntime-node'\nimport { a } from '../image/a.ts'"],
      ['pipeline/weights/a.ts', "import type { Progress } from '../../broker/pipeline.ts'"],
      ['lib/config/config.ts', 'readConfig(process.argv, process.env)'],
    ]
    expect(good.flatMap(([path, text]) => violations({ path, text }))).to.deep.equal([])
  })
})

function sourcesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.[cm]?[jt]s$/.test(file))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
}
