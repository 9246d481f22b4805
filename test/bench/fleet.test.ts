import { expect } from 'chai'
import { readArguments } from '../../bench/fleet/arguments.ts'
import { cpuSeconds } from '../../bench/fleet/cpu-time.ts'
import { faultsOf, hasFaults, sumOf } from '../../bench/fleet/faults.ts'
import { Questions } from '../../bench/fleet/questions.ts'
import { makePipeline } from '../../bench/peers/wait-pipeline.ts'
import { readArguments as readSimulation } from '../../bench/simulation/arguments.ts'
import { runBench } from '../support/bench.ts'

describe('npm run bench -- fleet', function () {
  this.timeout(60_000)

  it('has --help, and needs no RabbitMQ for it', async () => {
    const { code, stdout } = await runBench('run', ['fleet', '--help'])
    expect(code).to.equal(0)
    for (const option of [
      '--parts',
      '--hosts',
      '--seconds',
      '--ms',
      '--bytes',
      '--kills',
      '--callers',
      '--report',
    ])
      expect(stdout).to.contain(`\n${option} `)
  })

  it('refuses wrong options with one sentence', () => {
    for (const [args, sentence] of [
      [
        ['--hosts', '2,4'],
        '--hosts must be whole numbers from 1 to 64, rising from 1, with commas between them',
      ],
      [['--hosts', '1,1'], '--hosts must be'],
      [['--hosts', '1,65'], '--hosts must be'],
      [['--parts', 'speed'], '--parts must be some of throughput, latency, failover, web, saturation'],
      [['--parts', 'web,web'], '--parts must be'],
      [['--seconds', '0'], '--seconds must be a number of seconds from 0.5 to 600'],
      [['--bytes', '5'], '--bytes must be'],
      [['--host', '1'], 'There is no option --host; did you mean --hosts?'],
    ] as const) {
      expect(() => readArguments(args), args.join(' ')).to.throw(sentence)
    }
    expect(() => readSimulation(['--rates', '0'])).to.throw('--rates must be at most 20 numbers from 1')
    expect(() => readSimulation(['--load', '1'])).to.throw('--load must be a number from 0.05 to 0.95')
    expect(readSimulation(['--help'])).to.equal(undefined)
  })

  it('measures everything unless it is told otherwise', () => {
    expect(readArguments([])).to.deep.include({
      parts: ['throughput', 'latency', 'failover', 'web', 'saturation'],
      hosts: [1, 2, 4, 8],
      msPerImage: 10,
    })
  })

  it('tells right answers from wrong ones, failures and repetitions', async () => {
    const pipeline = makePipeline({ msPerInput: 0 })
    const inputs: string[] = []
    const answers = new Questions(100, async (input) => {
      inputs.push(input.toString('hex'))
      if (inputs.length === 3) throw Object.assign(new Error('full'), { code: 'ERR_QUEUE_FULL' })
      const [answer] = await pipeline.predict([inputs.length === 2 ? Buffer.from('another') : input])
      return answer
    })
    for (let i = 0; i < 4; i++) await answers.ask()
    expect(new Set(inputs).size).to.equal(4)
    expect(answers.tally()).to.deep.equal({ asked: 4, right: 2, wrong: 1, failures: { ERR_QUEUE_FULL: 1 } })
    expect(faultsOf(answers.tally(), 5)).to.deep.equal({ asked: 4, lost: 1, doubled: 2, wrong: 1 })
    const perfect = faultsOf({ asked: 4, right: 4, wrong: 0, failures: {} }, 4)
    expect(hasFaults(perfect)).to.equal(false)
    for (const fault of ['lost', 'doubled', 'wrong'] as const)
      expect(hasFaults(sumOf([perfect, { ...perfect, [fault]: 1 }])), fault).to.equal(true)
  })

  it('counts the CPU time of processes', function () {
    if (process.platform !== 'linux') this.skip()
    const before = cpuSeconds([process.pid])
    const end = process.cpuUsage().user + 100_000
    while (process.cpuUsage().user < end);
    expect(cpuSeconds([process.pid]) - before).to.be.at.least(0.05)
  })
})
