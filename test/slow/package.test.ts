import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { drawn, encoded, inked } from '../support/digits.ts'
import { PLACES } from '../support/environment.ts'
import { type Packed, packedPackage } from '../support/packed.ts'
import { allReady, type Service, startService } from '../support/service.ts'
import { writeBrightness } from '../support/write-brightness.ts'

const run = promisify(execFile)
const SIDE = 100
/** Other versions of Node are tried too if NODES has the paths of their programs, separated by colons. */
const NODES = [process.execPath, ...(process.env.NODES?.split(':') ?? [])]

describe('The package, installed in an empty folder', function () {
  this.timeout(120_000)
  let packed: Packed
  let picture: Buffer

  before(async () => {
    packed = await packedPackage()
    picture = await encoded(inked(drawn({ digit: 7, width: SIDE }), 255, 0), SIDE, SIDE)
    writeFileSync(join(packed.folder, 'seven.png'), picture)
  })

  const inFolder = (command: string, args: readonly string[], env: Record<string, string> = {}) =>
    run(command, args, {
      cwd: packed.folder,
      env: { ...PLACES, ...env },
    })
  const built = (path: string) => join(packed.folder, 'node_modules/tandem-serve/dist', path)

  it('has what it needs, and nothing else', () => {
    const outside = packed.files.filter((file) => !/^(dist|docs|node_modules|public|weights)\//.test(file))
    expect(outside).to.have.members(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'])
    const scriptRooms = packed.files.flatMap((file) => /^dist\/scripts\/([^/]+)/.exec(file)?.[1] ?? [])
    expect([...new Set(scriptRooms)].sort()).to.deep.equal(['shared', 'stress'])
    const rooms = packed.files.flatMap((file) => /^dist\/([^/]+)/.exec(file)?.[1] ?? [])
    expect([...new Set(rooms)].sort()).to.deep.equal(
      [
        ...['StartService', 'commands', 'tandem'].flatMap((file) => [`${file}.d.ts`, `${file}.js`]),
        ...['broker', 'client', 'fleet', 'lib', 'pipeline', 'public', 'scripts'],
      ].sort(),
    )
    // Of the scripts of the pages, the build holds a copy of those that the server imports, and of no others.
    const scripts = packed.files.filter((file) => /^dist\/public\/.+\.js$/.test(file))
    expect(scripts).to.have.members(
      ['digit', 'figure', 'fleet', 'state'].map((words) => `dist/public/${words}-words.js`),
    )
    expect(
      packed.files.filter((file) => file.startsWith('weights/') && !file.startsWith('weights/digits/')),
    ).to.have.members(['weights/README.md', 'weights/imagenet-labels.tsv'])
    const kinds = (folder: string) => [
      ...new Set(
        packed.files
          .filter((file) => file.startsWith(folder))
          .map((file) => file.replace(/^.*?(?=(\.d)?\.\w+$)/, '')),
      ),
    ]
    expect(kinds('dist/')).to.have.members(['.js', '.d.ts'])
    expect(kinds('docs/')).to.deep.equal(['.md'])
  })

  it('is installed by the command that the documentation gives', () => {
    const system = new RegExp(`-${process.platform}-${process.arch}\\.tgz$`)
    for (const page of ['README.md', 'docs/broker.md']) {
      const commands = readFileSync(built(`../${page}`), 'utf8').match(/npm install [^`\n]*\.tgz/g)
      expect([...new Set(commands)], page).to.deep.equal([
        `npm install ./${packed.archive.replace(system, '-linux-x64.tgz')}`,
      ])
    }
  })

  it('has ONNX Runtime for this system alone, and no install script', () => {
    const inside = packed.files.filter((file) => file.startsWith('node_modules/'))
    const libraries = inside.filter((file) => file.includes('/bin/'))
    expect(libraries).to.have.length.above(1)
    const own = `node_modules/onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/`
    expect(libraries.filter((file) => !file.startsWith(own))).to.deep.equal([])
    const packages = inside.filter((file) => /^node_modules\/[^/]+\/package\.json$/.test(file))
    expect(packages).to.have.length(2)
    for (const file of ['package.json', ...packages]) {
      expect(JSON.parse(readFileSync(built(`../${file}`), 'utf8')), file).to.not.have.property('scripts')
    }
    expect(inside.filter((file) => /install|\.map$/.test(file))).to.deep.equal([])
    const { os, cpu } = JSON.parse(readFileSync(built('../package.json'), 'utf8'))
    expect({ os, cpu }).to.deep.equal({ os: [process.platform], cpu: [process.arch] })
  })

  it('answers --help and --version as the command "tandem"', async () => {
    const { version } = JSON.parse(readFileSync(built('../package.json'), 'utf8'))
    expect((await inFolder(packed.tandem, ['--version'])).stdout).to.equal(`${version}\n`)
    const help = await inFolder(packed.tandem, ['--help'])
    expect(help.stdout).to.contain('predict').and.contain('npx tandem-serve')
    const settings = await inFolder(packed.tandem, ['serve', '--help'])
    expect(settings.stdout).to.contain('--models').and.contain('Examples')
  })

  it('checks the machine, measures a model, and has the stress test', async () => {
    const doctor = await inFolder(packed.tandem, ['doctor', '--models', 'digits', '--port', '0'])
    expect(doctor.stdout).to.match(/^ok {4}packages: ONNX Runtime/m)
    const bench = await inFolder(packed.tandem, [
      'bench',
      'seven.png',
      '--model',
      'digits',
      '--seconds',
      '0.2',
      '--json',
    ])
    expect(JSON.parse(bench.stdout).many.perSecond).to.be.above(0)
    expect((await inFolder(packed.tandem, ['stress', '--help'])).stdout).to.match(/^tandem stress/)
  })

  it('runs the example of docs/broker.md, of fewer than 20 lines, exactly as it stands', async () => {
    const page = readFileSync(built('../docs/broker.md'), 'utf8')
    const [pipeline = '', main = ''] = [...page.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code)
    expect(`${pipeline}${main}`.trim().split('\n').length).to.be.below(20)
    writeFileSync(join(packed.folder, 'words.mjs'), pipeline)
    writeFileSync(join(packed.folder, 'main.mjs'), main)
    const { stdout } = await inFolder(process.execPath, ['main.mjs'])
    expect(stdout.trim()).to.equal(/prints `(.*?)`/.exec(page)?.[1])
    expect(existsSync(built('broker/broker.d.ts'))).to.equal(true)
  })

  it('names the picture from the command line', async () => {
    const args = ['predict', '--ndjson', '--model', 'digits', 'seven.png']
    const { stdout } = await inFolder(packed.tandem, args)
    expect(JSON.parse(stdout).predictions[0].label).to.equal('7')
  })

  for (const node of NODES) {
    it(`classifies a picture for a newcomer: by command, by a program, over HTTP (${node})`, async () => {
      const args = [packed.tandem, 'predict', '--ndjson', '--model', 'digits', 'seven.png']
      const { stdout } = await inFolder(node, args)
      expect(JSON.parse(stdout).predictions[0].label).to.equal('7')

      const page = readFileSync(built('../README.md'), 'utf8')
      const [, code = ''] = /```js\n(import \{ createTandem[\s\S]*?)```/.exec(page) ?? []
      writeFileSync(join(packed.folder, 'program.mjs'), code)
      expect((await inFolder(node, ['program.mjs'])).stdout).to.equal('7\n')

      const program = [packed.tandem, 'serve']
      const service = await startService({ MODELS: 'digits' }, [], program, packed.folder, node)
      try {
        await allReady(service)
        const answer = await fetch(`${service.url}/digits`, { method: 'POST', body: new Uint8Array(picture) })
        expect(await answer.json()).to.have.nested.property('predictions[0].label', '7')
      } finally {
        await service.stop()
      }
    })
  }

  it('runs the nightly batch of docs/command.md as it stands', async () => {
    const page = readFileSync(built('../docs/command.md'), 'utf8')
    const [, script = ''] = /```sh\n(npx tandem-serve predict inbox[\s\S]*?)```/.exec(page) ?? []
    mkdirSync(join(packed.folder, 'inbox'))
    writeFileSync(join(packed.folder, 'inbox/seven.png'), picture)
    writeFileSync(join(packed.folder, 'inbox/broken.png'), 'no picture')
    writeFileSync(join(packed.folder, 'nightly.sh'), script)
    const { stderr } = await inFolder('sh', ['-e', 'nightly.sh'])
    expect(stderr).to.match(/^inbox.broken\.png: /)
    const lines = (name: string) => readFileSync(join(packed.folder, name), 'utf8').trimEnd().split(/\r?\n/)
    expect(lines('result.csv')).to.have.length(3)
    expect(lines('result.csv')[2]).to.match(/^inbox.seven\.png,digits,1,7,/)
    expect(lines('unsure.txt')).to.deep.equal([join('inbox', 'broken.png')])
  })

  it('starts the download of weights from the command line', async () => {
    const env = { WEIGHTS_URL: 'http://127.0.0.1:9/' }
    const error = await inFolder(packed.tandem, ['weights', 'mobilenet'], env).catch((error) => error)
    expect(error.stderr).to.contain('could not be downloaded from http://127.0.0.1:9/')
  })

  describe('as a service', () => {
    let service: Service
    before(async () => {
      await writeBrightness(join(packed.folder, 'small.h5'))
      writeFileSync(join(packed.folder, 'small.json'), '{"labels":"small.txt","preprocessing":"tf"}')
      writeFileSync(join(packed.folder, 'small.txt'), 'dark\nbright\n')
      const env = { MODELS: 'digits,small=./small.h5' }
      service = await startService(env, [], [packed.tandem, 'serve'], packed.folder)
      await allReady(service)
    })
    after(() => service?.stop())

    it('reads a drawn digit', async () => {
      const answer = await fetch(`${service.url}/digits`, { method: 'POST', body: new Uint8Array(picture) })
      const { predictions } = (await answer.json()) as { predictions: { label: string }[] }
      expect(predictions[0]?.label).to.equal('7')
    })

    it('compiles a model of Keras, and measures the devices for it', async () => {
      const answer = await fetch(`${service.url}/small`, { method: 'POST', body: new Uint8Array(picture) })
      const { predictions } = (await answer.json()) as { predictions: { label: string }[] }
      expect(predictions[0]?.label).to.equal('bright')
      expect(readdirSync(join(packed.folder, 'weights'), { recursive: true }).join()).to.contain('.onnx')
    })

    for (const path of ['/', '/digits', '/vgg', '/small', '/docs', '/status', '/feedback']) {
      it(`serves ${path} with all that the page loads`, async () => {
        const answer = await fetch(service.url + path, { headers: { Accept: 'text/html' } })
        expect(answer.status).to.equal(200)
        const links = [...(await answer.text()).matchAll(/(?:src|href)="(\/public\/[^"]+)"/g)].map(
          ([, link]) => link,
        )
        expect(links).to.have.length.greaterThan(1)
        for (const link of links) expect((await fetch(service.url + link)).status, link).to.equal(200)
      })
    }

    it('describes its API', async () => {
      const { paths } = (await (await fetch(`${service.url}/openapi.json`)).json()) as { paths: object }
      expect(paths).to.include.keys('/digits', '/small', '/api/predict')
    })
  })
})
