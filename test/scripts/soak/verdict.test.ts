import { expect } from 'chai'
import type { Sample } from '../../../scripts/soak/sampler.ts'
import type { RouteTally } from '../../../scripts/soak/tally.ts'
import {
  type Check,
  checksOf,
  isGood,
  type Measured,
  settleSecondsOf,
} from '../../../scripts/soak/verdict.ts'

const MIB = 2 ** 20
const MINUTES_45 = 2700
const RESTART_EVERY_S = 90

const COUNTS: RouteTally = {
  route: 'all',
  asked: 1000,
  right: 1000,
  wrong: 0,
  refused: 0,
  lost: 0,
  hung: 0,
  left: 0,
  cut: 0,
  retries: 0,
  latency: undefined,
}

interface Course {
  readonly seconds?: number
  /** bytes at a second of the test, or at an age of a child */
  readonly web?: (at: number) => number
  readonly child?: (age: number) => number
  readonly descriptors?: (at: number) => number
}

/** A child that lives throughout, and others that are killed again and again. */
function samples({
  seconds = MINUTES_45,
  web = flat,
  child = flat,
  descriptors = () => 40,
}: Course): Sample[] {
  return Array.from({ length: seconds }, (_, at) => {
    const others = { residentBytes: 0, descriptors: descriptors(at) }
    const young = at % RESTART_EVERY_S
    const start = 10 * MIB * Math.floor(at / RESTART_EVERY_S)
    return {
      at,
      web: { ...others, privateBytes: web(at) },
      children: [
        { ...others, pid: 1, model: 'small', age: at + 1, privateBytes: child(at + 1) },
        {
          ...others,
          pid: 2 + Math.floor(at / RESTART_EVERY_S),
          model: 'small',
          age: young,
          privateBytes: start + child(young),
        },
      ],
      server: undefined,
      open: 0,
      counts: COUNTS,
    }
  })
}

const flat = () => 100 * MIB
const climbing = (perHour: number) => (at: number) => (100 + (at % 30) / 10 + (perHour * at) / 3600) * MIB

function verdictOn(course: Course, more: Partial<Measured> = {}): Check[] {
  const settleSeconds = settleSecondsOf(course.seconds ?? MINUTES_45)
  const exit = { code: 0, signal: null }
  return checksOf({
    samples: samples(course),
    all: COUNTS,
    settleSeconds,
    errors: 0,
    isOver: false,
    exit,
    ...more,
  })
}

function badOnes(checks: readonly Check[]): string[] {
  return checks.filter((check) => check.isGood === false).map(({ what }) => what)
}

describe('The verdict of the soak test', () => {
  it('is good for 45 minutes without growth, however often children are restarted', () => {
    const checks = verdictOn({ web: climbing(0), child: climbing(0) })
    expect(badOnes(checks)).to.deep.equal([])
    expect(isGood(checks)).to.equal(true)
  })

  it('is bad for growth of 3 MiB an hour: of the web process, or of a child', () => {
    expect(badOnes(verdictOn({ web: climbing(3) }))).to.deep.equal(['growth of web process, private memory'])
    const ofChild = verdictOn({ child: climbing(3) })
    expect(badOnes(ofChild)).to.deep.equal(['growth of children of small, private memory'])
    expect(ofChild.find(({ isGood }) => isGood === false)?.measured).to.match(/^3\.0 ± 0\.\d MiB an hour/)
  })

  it('allows 1 MiB an hour, and whatever grows within the first ten minutes', () => {
    const warmUp = (at: number) => (at < 600 ? at : 600 + at / 3600) * MIB
    expect(badOnes(verdictOn({ web: climbing(1), child: warmUp }))).to.deep.equal([])
  })

  it('is bad for descriptors that are left open at each restart', () => {
    const left = (at: number) => 40 + Math.floor(at / RESTART_EVERY_S)
    expect(badOnes(verdictOn({ descriptors: left }))).to.deep.equal([
      'growth of descriptors of the web process',
    ])
  })

  it('does not judge growth over a few minutes, and takes the first third of a short test for settling', () => {
    expect(settleSecondsOf(300)).to.equal(100)
    expect(settleSecondsOf(MINUTES_45)).to.equal(600)
    const checks = verdictOn({ seconds: 300, web: climbing(100) })
    const [web] = checks.filter(({ what }) => what.includes('web process, private'))
    expect(web?.isGood).to.equal(undefined)
    expect(web?.measured).to.match(/^\d+\.\d ± \d+\.\d MiB an hour/)
    expect(isGood(checks)).to.equal(true)
  })

  const FAULTS: [what: string, how: string, more: Partial<Measured>][] = [
    ['wrong answers', 'one', { all: { ...COUNTS, wrong: 1 } }],
    ['lost requests', 'one', { all: { ...COUNTS, lost: 1 } }],
    ['hung requests', 'one', { all: { ...COUNTS, hung: 1 } }],
    ['requests refused after all retries', 'eleven of a thousand', { all: { ...COUNTS, refused: 11 } }],
    ['right answers', 'none', { all: { ...COUNTS, right: 0 } }],
    ['errors in the log', 'one', { errors: 1 }],
    ['end after SIGTERM', 'none, until SIGKILL', { exit: undefined }],
    ['end after SIGTERM', 'by itself, before the signal', { isOver: true }],
    ['end after SIGTERM', 'by another signal', { exit: { code: null, signal: 'SIGSEGV' } }],
  ]
  for (const [what, how, more] of FAULTS) {
    it(`is bad for ${what}: ${how}`, () => {
      expect(badOnes(verdictOn({ seconds: 30 }, more))).to.deep.equal([what])
    })
  }

  it('allows one refusal in a hundred requests', () => {
    expect(badOnes(verdictOn({ seconds: 30 }, { all: { ...COUNTS, refused: 10 } }))).to.deep.equal([])
  })
})
