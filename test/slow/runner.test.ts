import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { lanes } from '../runner/lanes.ts'
import { partsIn } from '../runner/parts.ts'
import { runPart } from '../runner/run-part.ts'
import { until } from '../support/broker.ts'
import { processesIn } from '../support/leftovers.ts'
import { shareCompiled, temporaryFolder } from '../support/temporary-folder.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const MOCHA = [createRequire(import.meta.url).resolve('mocha/bin/mocha.js')]
const NPM_TEST = ['--import', 'tsx', fileURLToPath(new URL('../runner/run.ts', import.meta.url))]
/** Far longer than a run takes, and far shorter than its tests would wait. */
const ENDS_WITHIN_MS = 60_000

const fixture = (name: string) => `test/fixtures/runner/${name}.ts`

interface Run {
  readonly child: ChildProcess
  readonly folder: string
  readonly output: () => string
  readonly code: Promise<number | null>
}

function start(program: readonly string[], fixtures: readonly string[], options: object = {}): Run {
  const folder = temporaryFolder()
  shareCompiled(folder)
  const child = spawn(process.execPath, [...program, ...fixtures.map(fixture)], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk))
  const code = once(child, 'close').then(([code]) => code as number | null)
  return { child, folder, output: () => output, code }
}

async function expectNothingLeft({ folder }: Run): Promise<void> {
  await until(() => processesIn(folder).length === 0, 2_000, 'no process is left')
  expect(
    readdirSync(folder).filter((name) => !name.startsWith('tsx-')),
    'what is left in the temporary directory',
  ).to.deep.equal([])
}

const lastLine = (text: string) => text.trimEnd().split('\n').at(-1)

describe('A run of Mocha', function () {
  this.timeout(ENDS_WITHIN_MS)
  this.slow(10_000)

  it('runs the file that it is given and nothing else', async () => {
    const run = start(MOCHA, ['green'])
    expect([await run.code, lastLine(run.output())]).to.deep.equal([0, '1 passed, 0 failed, 0 skipped'])
    await expectNothingLeft(run)
  })

  const KINDS: Record<string, [title: string, code: number, last: string]> = {
    red: ['a test fails before it stops what it started', 1, '0 passed, 1 failed, 0 skipped'],
    skipped: ['a suite is skipped that shares a service', 0, '1 passed, 0 failed, 1 skipped'],
    before: ['a hook fails', 1, '0 passed, 1 failed, 0 skipped'],
    crash: ['a service crashes', 1, '0 passed, 1 failed, 0 skipped'],
    throws: ['an error is thrown that nothing catches', 1, '0 passed, 1 failed, 0 skipped'],
    detached: ['a process of its own group is left behind', 0, '1 passed, 0 failed, 0 skipped'],
  }
  for (const [name, [title, code, last]] of Object.entries(KINDS)) {
    it(`ends by itself and leaves nothing behind when ${title}`, async () => {
      const run = start(MOCHA, [name])
      expect([await run.code, lastLine(run.output())], run.output()).to.deep.equal([code, last])
      await expectNothingLeft(run)
    })
  }

  it('that does not end by itself is ended, has failed, and reports the open resources', async () => {
    const run = start(MOCHA, ['holds'])
    expect(await run.code).to.equal(1)
    expect(run.output()).to.match(/does not end. What is still open: .*TCPServerWrap/)
    await expectNothingLeft(run)
  })

  it('ends and leaves nothing behind on SIGINT to it alone', async () => {
    const run = start(MOCHA, ['waits'])
    await until(() => run.output().includes('the service is ready'), 30_000, 'the service')
    expect(processesIn(run.folder).length).to.be.at.least(3)
    run.child.kill('SIGINT')
    // Mocha's launcher sends SIGTERM behind SIGINT; the one that is seen first sets the exit code.
    expect([130, 143]).to.include(await run.code)
    await expectNothingLeft(run)
  })
})

describe('npm test', function () {
  this.timeout(ENDS_WITHIN_MS)
  this.slow(10_000)

  it('adds up the counts of its parts, fails if a part fails, and prints the sum last', async () => {
    const run = start(NPM_TEST, ['green', 'skipped', 'red'])
    expect([await run.code, lastLine(run.output())], run.output()).to.deep.equal([
      1,
      '2 passed, 1 failed, 1 skipped',
    ])
    expect(run.output().match(/^\d+ passed, /gm)).to.have.length(1)
    await expectNothingLeft(run)
  })

  it('prints the failed tests once more behind all parts', async () => {
    const run = start(NPM_TEST, ['red', 'green'])
    await run.code
    const [, again] = run.output().split('Failed tests')
    expect(again).to.match(
      /red\.ts.*1 failing.*fails before it stops.*expected 2 to equal 3.*1 passed, 1 failed/s,
    )
  })

  it('ends and leaves nothing behind on SIGINT to the whole group, as a terminal sends it', async () => {
    const run = start(NPM_TEST, ['waits'], { detached: true })
    const { pid = 0 } = run.child
    // Mocha, the service, and its child.
    await until(() => processesIn(run.folder).length >= 3, 30_000, 'the service')
    process.kill(-pid, 'SIGINT')
    expect(await run.code).to.equal(130)
    await expectNothingLeft(run)
  })

  it('fails when no test is left to run', async () => {
    const run = start([...NPM_TEST, '--grep', 'no test has this title'], ['green'])
    expect(await run.code).to.equal(1)
    expect(run.output()).to.include('No test was run.')
  })
})

describe('A part of npm test', function () {
  this.timeout(ENDS_WITHIN_MS)
  this.slow(10_000)

  const problemOf = async (name: string, limitMs = ENDS_WITHIN_MS) => {
    const temporaryDirectory = temporaryFolder()
    const { problem } = await runPart({
      files: [fixture(name)],
      flags: [],
      temporaryDirectory,
      limitMs,
      mayRunNothing: false,
      started: () => undefined,
    })
    return problem
  }

  it('has failed if the process ended before its tests, whatever the exit status', async () => {
    expect(await problemOf('exits')).to.equal('ended with status 0 before its tests were over')
  })

  it('has failed if it ran no test', async () => {
    expect(await problemOf('empty')).to.equal('ran no test')
  })

  it('is killed when it takes too long', async () => {
    expect(await problemOf('hangs', 3000)).to.equal('did not end within 3 s and was killed')
  })

  it('covers each spec file of the repository exactly once, together with the other parts', () => {
    const specs = readdirSync(`${ROOT}test`, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => `${ROOT}test/${file}`)
    const files = [...partsIn(`${ROOT}test`), ...partsIn(`${ROOT}test/slow`)].flatMap((part) => part.files)
    expect([...files].sort()).to.deep.equal(specs.sort())
    expect(files.length).to.be.greaterThan(100)
  })

  it('runs with as many others as there are lanes', async () => {
    const now = new Set<number>()
    const done: number[] = []
    let most = 0
    await lanes([0, 1, 2, 3, 4, 5], 3, async (part) => {
      now.add(part)
      most = Math.max(most, now.size)
      await new Promise((resolve) => setTimeout(resolve, 5))
      now.delete(part)
      done.push(part)
    })
    expect(most).to.equal(3)
    expect(done.sort()).to.deep.equal([0, 1, 2, 3, 4, 5])
  })
})
