import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import type { Opened } from '../../fixtures/weights/open-models.ts'
import { golden } from '../../support/golden.ts'
import { programArgs } from '../../support/program.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

/** The error message for each file that must be refused. */
const REFUSED: Record<string, RegExp> = {
  'class-name-proto.h5': /\(__proto__\): Tandem does not have this class/,
  'config-deep-nesting.h5': /has values nested more than 200 deep/,
  'config-not-json.h5': /model_config in config-not-json.h5 is not valid JSON/,
  'config-wrong-types.h5': /units must be a whole number/,
  'empty.h5': /empty.h5 is empty/,
  'empty.keras': /empty.keras is empty/,
  'external-link.h5': /link to another file, "external-target.h5", which is refused/,
  'external-storage.h5': /kernel:0" cannot be read: its bytes lie in another file, "external-target.bin"/,
  'giant-dataset-chunked.h5': /declares 4398046511104 bytes, the whole file has 10252/,
  'giant-dataset-contiguous.h5': /declares 274877906944 bytes, the whole file has 10252/,
  'giant-units.h5': /must have the shape \[4, 1000000000000\]; "dense\/kernel:0" has \[4, 7\]/,
  'graph-cycle.h5': /wait for each other: the model has a cycle/,
  'graph-missing-layer.h5': /takes its input from layer "\w+", which does not exist/,
  'gzip-bomb-dataset.h5': /is stored in chunks of 268435456 bytes, the limit is/,
  'kernel-is-text.h5': /kernel:0" does not hold floating-point numbers/,
  'missing-dataset.h5': /lists the array "dense\/bias:0", and there is no/,
  'no-keras-attributes.h5': /is an HDF5 file, but no Keras model/,
  'shape-mismatch.h5': /kernel of layer "dense" must have the shape \[4, 7\]; "dense\/kernel:0" has \[7, 4\]/,
  'signature-only.h5': /cut off or damaged/,
  'soft-link-to-itself.h5': /kernel:0" is a soft link to/,
  'soft-link.h5': /kernel:0" is a soft link to "\/elsewhere\/kernel", which is refused/,
  'text.h5': /none of the formats that can be read/,
  'text.keras': /none of the formats that can be read/,
  'tfjs-giant-shape': /bytes, the manifest needs \d+/,
  'tfjs-long-shards': /has 204 bytes, the manifest needs 140/,
  'tfjs-missing-shard': /shard "group1-shard2of2.bin" is missing/,
  'tfjs-negative-shape': /has the shape \[-?\d+,-?\d+\]/,
  'tfjs-not-json': /none of the formats that can be read/,
  'tfjs-path-escape': /names the shard "..\/..\/etc\/passwd", which is not the name of a file beside it/,
  'tfjs-path-escape-encoded': /which is not the name of a file beside it/,
  'tfjs-short-shards': /have 100 bytes, the manifest needs 140/,
  'tfjs-unknown-dtype': /holds "complex64"; float32 can be read/,
  'tfjs-url-shard': /which is not the name of a file beside it/,
  'truncated-half.h5': /cut off or damaged: it declares 65296 bytes, the file has 32648/,
  'truncated-header.h5': /it declares 65296 bytes, the file has 60/,
  'truncated.keras': /cut off or damaged, .*[^.]\.$/,
  'virtual-dataset.h5': /is a virtual dataset over other files \("external-target.h5"\), which is refused/,
  'zip-bad-crc.keras': /config.json has the checksum/,
  'zip-bomb-declared.keras': /declares 4294967294 bytes compressed to 11/,
  'zip-bomb-deflated.keras': /declares 268435456 bytes compressed to 260916/,
  'zip-no-config.keras': /no entry config.json, .* neither model.json nor keras_model.h5/,
  'zip-no-weights.keras': /no entry model.weights.h5/,
  'zip-path-escape.keras': /invalid relative path: ..\/..\/escaped.txt/,
  'zip-symlink.keras': /model.weights.h5 is a symbolic link, which is refused/,
  'zip-weights-are-text.keras': /model.weights.h5 is no HDF5 file/,
}

/** Odd files that can be loaded all the same. */
const LOADED = ['hard-link-cycle.h5', 'layer-name-path.h5', 'outputs-do-not-match-labels.h5']

/** Files that other files point to. */
const NO_MODELS = ['external-target.bin', 'external-target.h5', 'labels-10.txt']

const WITHIN_MS = 2000
/** Node and tsx take 90 MB, the HDF5 library 30 MB. */
const MAX_PEAK_BYTES = 300e6

describe('hostile model files', function () {
  this.timeout(60_000)
  const parent = temporaryFolder()
  const folder = join(parent, 'a', 'models')
  const results = new Map<string, Opened>()
  let child: ChildProcess
  let escaped: string[]

  async function answer(to: string): Promise<unknown> {
    const done = new AbortController()
    const ended = once(child, 'exit', done).then(() => {
      throw new Error(`${to} brought the process down`)
    })
    const message = once(child, 'message', done)
    const [first] = await Promise.race([message, ended]).finally(() => done.abort())
    await Promise.allSettled([message, ended])
    return first
  }

  before(async () => {
    cpSync(golden('hostile'), folder, { recursive: true })
    // Runs in the folder of the models, where HDF5 would look for other files, with little memory.
    const program = programArgs('test/fixtures/weights/open-models.ts')
    child = fork(program.at(-1) ?? '', {
      cwd: folder,
      execArgv: [...program.slice(0, -1), '--max-old-space-size=96'],
    })
    await answer('the start')
    for (const name of readdirSync(folder)) {
      if (NO_MODELS.includes(name)) continue
      child.send(join(folder, name))
      results.set(name, (await answer(name)) as Opened)
    }
    escaped = [...readdirSync(parent), ...readdirSync(dirname(folder))]
  })

  after(() => {
    child?.kill()
    rmSync(parent, { recursive: true, force: true })
  })

  it('are all in the table', () => {
    expect([...results.keys()].sort()).to.deep.equal([...Object.keys(REFUSED), ...LOADED].sort())
  })

  for (const [name, sentence] of Object.entries(REFUSED)) {
    it(`refuses ${name} in one sentence`, () => {
      const result = results.get(name)
      expect(result?.code).to.be.oneOf(['ERR_MODEL_LOAD', 'ERR_MODEL_UNSUPPORTED'])
      expect(result?.message).to.match(sentence).and.not.match(/\n/)
      expect(result?.message?.length).to.be.below(1000)
    })
  }

  for (const name of LOADED) {
    it(`loads ${name}`, () => {
      expect(results.get(name)).to.include({ arrays: 2 }).and.not.to.have.property('code')
    })
  }

  it(`takes at most ${WITHIN_MS} ms of CPU time for each`, () => {
    for (const { ms, path } of results.values()) expect(ms, path).to.be.below(WITHIN_MS)
  })

  it(`takes at most ${MAX_PEAK_BYTES / 1e6} MB for any`, () => {
    for (const { peak, path } of results.values()) expect(peak, path).to.be.below(MAX_PEAK_BYTES)
  })

  it('opens no file but the model and what lies in its folder', () => {
    for (const { path, files } of results.values()) {
      for (const file of files) expect(file).to.satisfy(() => file === path || dirname(file) === path)
    }
  })

  it('writes nothing anywhere else', () => expect(escaped).to.deep.equal(['a', 'models']))
})
