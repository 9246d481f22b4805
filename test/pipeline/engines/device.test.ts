import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { chooseDevice, type DeviceOptions } from '../../../pipeline/engines/device/device.ts'
import type { Device, Engine } from '../../../pipeline/engines/engine.ts'
import { PipelineError } from '../../../pipeline/errors.ts'
import { errorOf } from '../../support/broker.ts'

/** Stands for hardware that is not here: it answers these numbers, after this long. */
interface Hardware {
  ms?: number
  answers?: readonly number[]
  opens?: () => void
}

const ANSWERS = [0.7, 0.2, 0.1]

describe('The device', () => {
  it('is the fastest device that gives the numbers of the CPU', async () => {
    const { choice, isOpen } = await choose({ cpu: { ms: 30 }, webgpu: { ms: 12 }, cuda: { ms: 3 } })
    expect(choice.engine.device).to.equal('cuda')
    expect(choice.report).to.match(/^cuda, measured with a batch of 2: cuda .* ms, webgpu .* ms, cpu .* ms$/)
    expect(isOpen()).to.deep.equal(['cuda'])
  })

  it('is the CPU when the GPU is slower, such as a software GPU', async () => {
    const { choice, isOpen } = await choose({ cpu: { ms: 5 }, webgpu: { ms: 25 } })
    expect(choice.engine.device).to.equal('cpu')
    expect(choice.report).to.match(/^cpu, measured/)
    expect(isOpen()).to.deep.equal(['cpu'])
  })

  it('is refused when its numbers differ, however fast it is', async () => {
    const { choice, isOpen } = await choose({
      cpu: { ms: 20 },
      webgpu: { ms: 1, answers: [0.7, 0.203, 0.1] },
    })
    expect(choice.engine.device).to.equal('cpu')
    expect(choice.report).to.include(
      "webgpu refused: its numbers differ from the CPU's by 0.0043 of the largest",
    )
    expect(isOpen()).to.deep.equal(['cpu'])
  })

  for (const [title, answers] of [
    ['no numbers', [Number.NaN, 0.2, 0.1]],
    ['infinite numbers', [Number.POSITIVE_INFINITY, 0.2, 0.1]],
    ['fewer numbers', [0.7, 0.2]],
  ] as const) {
    it(`is refused when it answers ${title}`, async () => {
      const { choice } = await choose({ cpu: { ms: 20 }, webgpu: { ms: 1, answers } })
      expect(choice.engine.device).to.equal('cpu')
      expect(choice.report).to.include('webgpu refused')
    })
  }

  it('may differ from the CPU by the order of additions', async () => {
    const { choice } = await choose({ cpu: { ms: 20 }, webgpu: { ms: 1, answers: [0.70003, 0.2, 0.1] } })
    expect(choice.engine.device).to.equal('webgpu')
  })

  it('that cannot be opened is a reason in the report, and the next one is measured', async () => {
    const { choice } = await choose({
      cpu: { ms: 20 },
      webgpu: { opens: fails('no adapter\nat a.cpp') },
      cuda: {},
    })
    expect(choice.engine.device).to.equal('cuda')
    expect(choice.report).to.match(/; webgpu refused: no adapter$/)
  })

  it('that opens for the measurement, but not a second time, loses to the next one', async () => {
    let times = 0
    const opens = () => {
      if (++times > 1) throw new Error('out of memory')
    }
    const { choice } = await choose({ cpu: { ms: 20 }, webgpu: { ms: 1, opens } })
    expect(choice.engine.device).to.equal('cpu')
    expect(choice.report).to.include('webgpu refused: out of memory')
  })

  it('is measured by the given probe, so that a crash does not end the process', async () => {
    const { choice } = await choose(
      { cpu: { ms: 5 }, webgpu: {} },
      { probe: async () => Promise.reject(new Error('its process ended with SIGSEGV')) },
    )
    expect(choice.engine.device).to.equal('cpu')
    expect(choice.report).to.include('webgpu refused: its process ended with SIGSEGV')
  })

  it('is not measured where there is only the CPU', async () => {
    const { choice, runs } = await choose({ cpu: {} })
    expect(choice.report).to.equal('cpu, the only device here')
    expect(runs()).to.equal(0)
  })

  it('is the requested one, even if no hardware is found and the CPU is faster', async () => {
    const { choice, isOpen } = await choose(
      { cpu: { ms: 1 }, webgpu: { ms: 10 } },
      { wanted: 'webgpu', available: ['cpu'] },
    )
    expect(choice.engine.device).to.equal('webgpu')
    expect(choice.report).to.equal('webgpu, as asked for')
    expect(isOpen()).to.deep.equal(['webgpu'])
  })

  it('that is requested is refused when its numbers differ', async () => {
    const hardware = { cpu: {}, webgpu: { answers: [0.7, 0.203, 0.1] } }
    const open = new Set<Engine>()
    const error = await errorOf(choose(hardware, { wanted: 'webgpu' }, open))
    expect(error.code).to.equal('ERR_ENGINE')
    expect(error.message).to.match(
      /webgpu cannot be used for this model: its numbers differ from the CPU's by 0\.0043 of the largest\. DEVICE=auto/,
    )
    expect([...open]).to.deep.equal([])
  })

  it('that is requested and cannot be used is an error with the reason', async () => {
    const error = await errorOf(
      choose({ cpu: {}, cuda: { opens: fails('no such library') } }, { wanted: 'cuda' }),
    )
    expect(error.code).to.equal('ERR_ENGINE')
    expect(error.message).to.match(/cuda cannot be used: no such library .*docs\/models\.md says how/)
  })

  it('is not blamed for a model that no device can open', async () => {
    const opens = () => {
      throw new PipelineError('ERR_MODEL_LOAD', 'no such file')
    }
    expect((await errorOf(choose({ cpu: { opens } }))).code).to.equal('ERR_MODEL_LOAD')
    expect((await errorOf(choose({ cpu: { opens } }, { wanted: 'cpu' }))).code).to.equal('ERR_MODEL_LOAD')
  })
})

type Machine = Partial<Record<Device, Hardware>>

async function choose(hardware: Machine, options: Partial<DeviceOptions> = {}, open = new Set<Engine>()) {
  let runs = 0
  const choice = await chooseDevice({
    wanted: 'auto',
    available: Object.keys(hardware) as Device[],
    sample: (_, images) => new Uint8Array(3 * images),
    batch: 2,
    async open(device) {
      const { ms = 0, answers = ANSWERS, opens } = hardware[device] ?? {}
      opens?.()
      const engine: Engine = {
        name: 'onnx',
        device,
        inputShape: [1, 1, 3],
        outputShape: [answers.length],
        outputSize: answers.length,
        others: [],
        rowSize: answers.length,
        async run() {
          runs++
          await delay(ms)
          return Float32Array.from(answers)
        },
        async close() {
          open.delete(engine)
        },
      }
      open.add(engine)
      return engine
    },
    ...options,
  })
  return { choice, isOpen: () => [...open].map(({ device }) => device), runs: () => runs }
}

function fails(message: string): () => void {
  return () => {
    throw new Error(message)
  }
}
