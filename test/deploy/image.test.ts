import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { configOf, deployFile, image, ROOT } from '../support/deploy.ts'

const { env, instructions } = image()
const of = (name: string) => instructions.filter(([each]) => each === name).map(([, rest]) => rest)
const copies = of('COPY').map((rest) => {
  const words = rest.split(/\s+/)
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined
  return { from, sources: words.slice(0, -1), target: words.at(-1) ?? '' }
})
const fromContext = copies.filter(({ from }) => from === undefined).flatMap(({ sources }) => sources)
const packageJson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  files: string[]
  engines: { node: string }
}

describe('deploy/Dockerfile', () => {
  it('copies only what is there, and from stages that come before', () => {
    for (const source of fromContext) expect(existsSync(join(ROOT, source)), source).to.equal(true)
    const stages = of('FROM').map((rest) => / AS (\S+)$/.exec(rest)?.[1])
    expect(stages).to.deep.equal(['build', 'test', 'packages', 'runtime'])
    for (const { from } of copies) if (from !== undefined) expect(stages).to.include(from)
  })

  it('builds from everything that the build reads', () => {
    const { include } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.build.json'), 'utf8')) as {
      include: string[]
    }
    expect(fromContext).to.include.members([...include, 'tsconfig.json', 'tsconfig.build.json', 'public'])
  })

  it('puts into the image what the package has, but for its documents', () => {
    const runtime = instructions.slice(instructions.findIndex(([, rest]) => rest.endsWith(' AS runtime')))
    const copied = runtime
      .filter(([name]) => name === 'COPY')
      .flatMap(([, rest]) => rest.split(/\s+/).slice(0, -1))
    const packed = packageJson.files.filter((file) => !/^(!|docs|CHANGELOG)/.test(file))
    expect(copied.map((path) => path.replace('/app/', '')).filter((path) => !path.startsWith('--')))
      .to.include.members(packed)
      .and.include.members(['package.json', 'node_modules', 'LICENSE'])
  })

  it('has a version of Node that the package accepts', () => {
    const [, major = ''] = /^NODE_IMAGE=node:(\d+)-/.exec(of('ARG')[0] ?? '') ?? []
    const [, least = ''] = /^>=(\d+)/.exec(packageJson.engines.node) ?? []
    expect(Number(major)).to.be.greaterThan(Number(least))
    // Odd versions of Node get no fixes after half a year.
    expect(Number(major) % 2).to.equal(0)
    for (const base of of('FROM')) expect(base).to.match(/^(\$\{NODE_IMAGE\}|build) AS /)
  })

  it('sets settings that are right, listens to all interfaces, and runs as a user without rights', () => {
    const config = configOf({ name: 'the image', args: [], env })
    expect(config.host).to.equal('0.0.0.0')
    expect(of('EXPOSE')).to.deep.equal([String(config.port)])
    expect(of('USER')).to.deep.equal(['1000:1000'])
    expect(JSON.parse(of('VOLUME')[0] ?? '')).to.deep.equal([config.weightsDir, config.feedbackDir])
    for (const folder of [config.weightsDir, config.feedbackDir])
      expect(of('RUN').find((command) => command.startsWith('install -d -o 1000 -g 1000'))).to.contain(folder)
    expect(JSON.parse(of('ENTRYPOINT')[0] ?? '')).to.deep.equal([
      'tini',
      '--',
      'node',
      'dist/StartService.js',
    ])
  })

  it('installs without development packages, and without install scripts', () => {
    expect(of('RUN')).to.include('npm ci --omit=dev')
    const installs = copies.filter(({ sources }) => sources.includes('package-lock.json'))
    expect(installs).to.have.length(2)
    for (const { sources } of installs) expect(sources).to.include('.npmrc')
    expect(readFileSync(join(ROOT, '.npmrc'), 'utf8')).to.match(/^ignore-scripts=true$/m)
  })

  it('keeps of onnxruntime-node the libraries of its own system', () => {
    const [, command = ''] = instructions.find(([, rest]) => rest.includes('onnxruntime-node')) ?? []
    const folder = join(ROOT, 'node_modules/onnxruntime-node/bin/napi-v6')
    const systems = execFileSync('ls', [folder], { encoding: 'utf8' }).trim().split('\n')
    expect(command).to.contain('node_modules/onnxruntime-node/bin/napi-v6')
    const [, removed = ''] = /rm -r ([a-z0-9 ]+) &&/.exec(command) ?? []
    expect(removed.split(' ')).to.have.members(systems)
  })

  it('leaves secrets, downloads and builds out of the context, but no source', () => {
    const ignored = deployFile('Dockerfile.dockerignore').split('\n')
    expect(ignored).to.include.members([
      '.git',
      '**/node_modules',
      'dist',
      'deploy/tls',
      '**/*.env',
      'weights/*',
    ])
    const needed = fromContext.filter((source) => source.startsWith('weights/'))
    for (const source of needed) expect(ignored).to.include(`!${source}`)
  })
})
