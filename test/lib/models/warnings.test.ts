import { writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { type Service, scripted, startService, until } from '../../support/service.ts'

const WARN = 40
const SLOW = 'The folder cannot be written.'
const OTHER = 'The disk is nearly full.'
const NEW = 'The labels are old.'

interface Readiness {
  models: { model: { state: string; warnings: string[]; workers: string[] } }
}

describe('A warning of a pipeline', () => {
  let service: Service
  let script = ''

  before(async () => {
    const env = scripted({ warnings: [SLOW] })
    script = env.MODELS?.replace('model=', '') ?? ''
    service = await startService({ ...env, WORKERS: '3' })
    await becomeReady(3)
  })
  after(() => service.stop())

  const model = async () => ((await (await fetch(`${service.url}/readyz`)).json()) as Readiness).models.model
  const becomeReady = (children: number) =>
    until(async () => {
      const { workers } = await model()
      const started = service.logs.filter(({ msg }) => msg === 'child started').length
      return started === children && workers.every((state) => state === 'ready')
    }, `${children} children that have been ready`)
  const logged = () => service.logs.filter(({ level }) => level === WARN).map(({ msg }) => msg)
  const warned = () => logged().filter((msg) => msg !== 'child ended')

  /** New children read the script again. */
  async function replaceChildren(warnings: string[], children: number): Promise<void> {
    writeFileSync(script, JSON.stringify({ warnings }))
    const pids = service.logs.filter(({ msg }) => msg === 'child started').map(({ pid }) => Number(pid))
    for (const pid of pids.slice(-3)) process.kill(pid, 'SIGKILL')
    await becomeReady(children)
  }

  it('is logged once for all children, and shown in /readyz', async () => {
    expect(warned()).to.deep.equal([SLOW])
    expect((await model()).warnings).to.deep.equal([SLOW])
  })

  it('is not logged again when children are replaced; a new warning is', async () => {
    await replaceChildren([SLOW, OTHER], 6)
    await until(() => warned().length >= 2, 'the second warning')
    expect(warned()).to.deep.equal([SLOW, OTHER])
  })

  it('is logged again if it comes back after it was gone', async () => {
    await replaceChildren([], 9)
    expect((await model()).warnings).to.deep.equal([])
    await replaceChildren([SLOW], 12)
    await until(() => warned().length >= 3, 'the third warning')
    expect(warned()).to.deep.equal([SLOW, OTHER, SLOW])
  })

  it('is logged although the model stays ready while one child after the other is replaced', async () => {
    writeFileSync(script, JSON.stringify({ warnings: [NEW] }))
    const changes = () => service.logs.filter(({ msg }) => msg === 'model state').length
    const [before, starts] = [changes(), service.logs.filter(({ msg }) => msg === 'child started')]
    for (const [i, { pid }] of starts.slice(-3).entries()) {
      process.kill(Number(pid), 'SIGKILL')
      await becomeReady(starts.length + i + 1)
    }
    await until(() => warned().includes(NEW), 'the new warning')
    expect(changes()).to.equal(before)
  })
})
