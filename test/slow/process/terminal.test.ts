import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { scripted, until } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { CTRL_C, describeInTerminal, openTerminal, type Terminal } from '../../support/terminal.ts'

const OPEN = /^Open (http:\/\/127\.0\.0\.1:\d+)$/m
const READY = /model: ready/

/** Four requests under way in a service that a person has started. */
async function four(terminal: Terminal): Promise<Promise<number | string>[]> {
  const [, url = ''] = await terminal.shows(OPEN)
  await terminal.shows(READY)
  const answers = Array.from({ length: 4 }, (_, index) =>
    fetch(`${url}/model`, { method: 'POST', body: `input ${index}` }).then(
      ({ status }) => status,
      () => 'cut',
    ),
  )
  await until(async () => {
    const { models } = (await (await fetch(`${url}/readyz`)).json()) as {
      models: { model: { queued: number; inFlight: number } }
    }
    return models.model.queued + models.model.inFlight === 4
  }, 'four requests')
  return answers
}

describeInTerminal('Ctrl-C in a terminal', function () {
  this.timeout(60_000)
  let terminal: Terminal
  const start = (command: string, script = {}, env: Record<string, string> = {}) => {
    terminal = openTerminal(command, { PORT: '0', ...scripted(script), ...env })
    return terminal
  }
  afterEach(() => terminal.end())

  for (const command of ['npm start', 'node --import tsx StartService.ts']) {
    it(`once under "${command}" has all accepted requests answered, and ends with 0`, async () => {
      const answers = await four(start(command, { predictMs: 1500 }))
      terminal.press(CTRL_C)
      expect(await Promise.all(answers)).to.deep.equal([200, 200, 200, 200])
      expect(await terminal.exit).to.equal(0)
      expect(terminal.text()).to.match(/drained$/m)
    })
  }

  it('once under "npx tsx" has all accepted requests answered', async () => {
    const answers = await four(start('npx tsx StartService.ts', { predictMs: 1500 }))
    terminal.press(CTRL_C)
    expect(await Promise.all(answers)).to.deep.equal([200, 200, 200, 200])
    await terminal.shows(/drained$/m)
  })

  it('a second time after more than a second ends at once, with 1', async () => {
    const answers = await four(start('npm start', { predictMs: 20_000 }))
    terminal.press(CTRL_C)
    await terminal.shows(/press Ctrl-C again to end at once/)
    await delay(1500)
    const pressed = performance.now()
    terminal.press(CTRL_C)
    expect(await terminal.exit).to.equal(1)
    expect(performance.now() - pressed).to.be.lessThan(10_000)
    expect(await Promise.all(answers)).to.deep.equal(['cut', 'cut', 'cut', 'cut'])
  })

  it('does not reach a child that still loads its code', async () => {
    start('node --import tsx StartService.ts', { startMs: 300 })
    // The child is forked when the service listens, and needs a moment before any code of ours runs in it.
    await terminal.shows(OPEN)
    await delay(100)
    terminal.press(CTRL_C)
    expect(await terminal.exit).to.equal(0)
    expect(terminal.text()).to.not.match(/SIGINT|warning/)
  })
})

describeInTerminal('The log in a terminal', function () {
  this.timeout(60_000)

  /** What a person sees of a service that is started, asked three things and ended. */
  async function session(env: Record<string, string>): Promise<Terminal> {
    const script = {
      failures: { bad: 'ERR_IMAGE_DECODE', ours: 'ERR_OPTION' },
      startWord: 'reading the weights',
    }
    const terminal = openTerminal('node --import tsx StartService.ts', {
      PORT: '0',
      ...scripted(script),
      ...env,
    })
    const [, url = ''] = await terminal.shows(OPEN)
    await terminal.shows(READY)
    for (const body of ['good', 'bad', 'ours']) {
      await (await fetch(`${url}/model?key=secret`, { method: 'POST', body })).text()
    }
    await (await fetch(`${url}/a%1b%5b2Jb`)).text()
    await terminal.shows(/GET .* 404 /)
    terminal.press(CTRL_C)
    await terminal.exit
    return terminal
  }

  it('says in one line why a model cannot be served, without a stack', async () => {
    const wrong = {
      PORT: '0',
      MODELS: `pets=${join(temporaryFolder(), 'pets.h5')}`,
      WEIGHTS_DIR: temporaryFolder(),
    }
    const terminal = openTerminal('node --import tsx StartService.ts', wrong)
    await terminal.shows(/error: pets: model failed to start: .*pets\.h5/)
    await terminal.shows(/pets: failed/)
    terminal.press(CTRL_C)
    await terminal.exit
    expect(terminal.text()).not.to.match(/^ +at /m)
  })

  it('has the address as the last line of the start, and one line for each thing that happens', async () => {
    const shown = (await session({})).text()
    const lines = shown
      .split('\n')
      .map((line) => line.replace(/^\d\d:\d\d:\d\d /, '').replace(/\d+ ms/, 'N ms'))
    const frames = lines.filter((line) => line.startsWith('  at '))
    const others = lines.filter((line) => !frames.includes(line) && line !== '' && !line.startsWith('^C'))
    expect(others[0]).to.match(/^Open http:/)
    expect(others.slice(1, 3)).to.deep.equal(['model: reading the weights', 'model: ready'])
    expect(others).to.include('POST /model 200 N ms').and.include('POST /model 422 N ms ERR_IMAGE_DECODE')
    expect(others).to.include('POST /model 500 N ms ERR_INTERNAL')
    expect(others.filter((line) => line.includes('POST /model'))).to.have.length(3)
    expect(others.filter((line) => line.startsWith('error: '))).to.deep.equal([
      'error: request failed: the input is "ours"',
    ])
    expect(frames).to.have.length.greaterThan(0)
    expect(shown).to.not.contain('secret')
    expect(shown).to.not.match(/child (started|ended)/)
  })

  it('has colours, but none where NO_COLOR forbids them, and none that a client makes up', async () => {
    const [coloured, plain] = await Promise.all([session({}), session({ NO_COLOR: '1' })])
    expect(coloured.raw()).to.contain('\x1b[1mOpen http').and.not.contain('\x1b[2J')
    expect(plain.raw()).to.contain('Open http').and.not.contain('\x1b')
  })
})
