import { expect } from 'chai'
import {
  circlesIn,
  climbsIn,
  type Floors,
  type ImportGraph,
  importGraph,
  importsOf,
  sourcesIn,
} from './support/import-graph.ts'

/** From the top down. CONTRIBUTING.md and docs/architecture.md say what each room is for. */
const HOUSE: Floors = [
  ['StartService.ts', 'tandem.ts'],
  ['commands.ts'],
  ['lib/start.ts', 'lib/cli/'],
  ['lib/library/'],
  ['lib/app.ts'],
  ['lib/process/'],
  ['lib/routes/', 'lib/dialects/'],
  ['lib/service.ts'],
  ['lib/api.ts'],
  ['lib/middleware/', 'lib/pages/'],
  ['lib/models/', 'lib/feedback/', 'lib/status/'],
  ['lib/image/'],
  ['lib/fetch/'],
  ['lib/http/'],
  ['lib/cache/', 'lib/config/'],
  ['fleet/'],
  ['broker/'],
]

const BROKER: Floors = [
  ['broker/broker.ts'],
  ['broker/child/', 'broker/worker.ts'],
  ['broker/messages.ts'],
  ['broker/error-wire.ts', 'broker/pipeline.ts'],
  ['broker/errors.ts'],
]

const FLEET: Floors = [
  ['fleet/fleet.ts'],
  ['fleet/fleet-broker.ts', 'fleet/model-host.ts'],
  ['fleet/web-host.ts', 'fleet/host-news.ts', 'fleet/jobs.ts', 'fleet/callers.ts', 'fleet/known-answers.ts'],
  ['fleet/host-list.ts', 'fleet/options.ts', 'fleet/events.ts', 'fleet/amqp-port.ts'],
  ['fleet/wire.ts', 'fleet/topology.ts', 'fleet/link.ts'],
  ['fleet/port.ts', 'fleet/connect-failure.ts'],
]

const PIPELINE: Floors = [
  [
    'pipeline/calibrate-model.ts',
    'pipeline/inspect-model.ts',
    'pipeline/quantize-model.ts',
    'pipeline/tune-model.ts',
  ],
  ['pipeline/pipeline.ts'],
  ['pipeline/model-part.ts'],
  ['pipeline/make-pipeline.ts', 'pipeline/keep-weights.ts', 'pipeline/machine-facts.ts'],
  [
    'pipeline/image-classifier.ts',
    'pipeline/image-features.ts',
    'pipeline/compiled-models.ts',
    'pipeline/open-engine.ts',
  ],
  ['pipeline/quantize/'],
  ['pipeline/tuning/'],
  ['pipeline/compile-found.ts'],
  [
    'pipeline/found-model.ts',
    'pipeline/other-numbers.ts',
    'pipeline/permanent-error.ts',
    'pipeline/read-input.ts',
  ],
  ['pipeline/facts/'],
  ['pipeline/weights/'],
  ['pipeline/engines/'],
  ['pipeline/graph/'],
  ['pipeline/models/'],
  ['pipeline/image/'],
  [
    'pipeline/errors.ts',
    'pipeline/top-indices.ts',
    'pipeline/prediction.ts',
    'pipeline/half.ts',
    'pipeline/make-folder.ts',
  ],
]

/** The rooms of pipeline/weights, below its doors. */
const WEIGHTS: Floors = [
  [
    'pipeline/weights/fetch-weights.ts',
    'pipeline/weights/noted-settings.ts',
    'pipeline/weights/open-model.ts',
  ],
  ['pipeline/weights/ensure-weights.ts', 'pipeline/weights/open-source.ts'],
  ['pipeline/weights/look-at-weights.ts', 'pipeline/weights/teachable-machine.ts'],
  ['pipeline/weights/tfjs/'],
  ['pipeline/weights/keras/'],
  ['pipeline/weights/bind/', 'pipeline/weights/hdf5/', 'pipeline/weights/onnx/'],
  ['pipeline/weights/source/', 'pipeline/weights/download/'],
]

describe('the house', () => {
  const all = importGraph([
    'StartService.ts',
    'tandem.ts',
    'commands.ts',
    ...sourcesIn('client', 'lib', 'broker', 'fleet', 'pipeline', 'public', 'bench', 'scripts', 'test'),
  ])

  it('has no circle of imports, types included', () => {
    expect(all.size).to.be.greaterThan(400)
    expect(circlesIn(all).map((circle) => circle.join(' → '))).to.deep.equal([])
  })

  for (const [name, floors] of Object.entries({
    'the web process': HOUSE,
    'the broker': BROKER,
    'the fleet': FLEET,
    'the pipeline': PIPELINE,
    'the weights': WEIGHTS,
  })) {
    it(`has floors, and no import climbs up or sideways: ${name}`, () => {
      expect(climbsIn(all, floors)).to.deep.equal([])
    })
  }
})

describe('the drawing of the house', () => {
  it('finds what a file imports: values, types, side effects, dynamically', () => {
    const text = `
      import { a } from './a.ts'
      import type { B } from '../b.ts'
      import './c.ts'
      export { d } from "./d/d.ts"
      const e = await import('./e.ts')
      import koa from 'koa'`
    const targets = ['lib/x/a.ts', 'lib/b.ts', 'lib/x/c.ts', 'lib/x/d/d.ts', 'lib/x/e.ts']
    expect(importsOf('lib/x/x.ts', text)).to.deep.equal(targets)
  })

  it('finds circles of two files and of three, and one that a tree does not have', () => {
    const graph: ImportGraph = new Map([
      ['a', ['b', 'c']],
      ['b', ['a']],
      ['c', ['d']],
      ['d', ['e', 'f']],
      ['e', ['c']],
      ['f', []],
    ])
    expect(circlesIn(graph)).to.deep.equal([
      ['a', 'b', 'a'],
      ['c', 'd', 'e', 'c'],
    ])
  })

  it('finds imports that go up or sideways', () => {
    const floors: Floors = [['top/'], ['left/', 'right/'], ['low.ts']]
    const graph: ImportGraph = new Map([
      ['top/a.ts', ['left/a.ts', 'low.ts', 'top/b.ts']],
      ['left/a.ts', ['right/a.ts', 'left/b.ts', 'low.ts']],
      ['low.ts', ['top/a.ts', 'elsewhere.ts']],
    ])
    expect(climbsIn(graph, floors)).to.deep.equal(['left/a.ts imports right/a.ts', 'low.ts imports top/a.ts'])
  })
})
