import { expect } from 'chai'
import { fuzz } from '../../../scripts/fuzz/fuzz.ts'
import { HTTP_FORMATS } from '../../../scripts/fuzz/kinds/http.ts'
import { httpSeeds } from '../../../scripts/fuzz/kinds/http-seeds.ts'
import { HttpTarget } from '../../../scripts/fuzz/kinds/http-target.ts'
import { shortPlan } from '../../support/fuzz.ts'
import { expectUnharmed, startSurvivor, survivor } from '../../support/survivor.ts'

describe('Fuzzed requests', () => {
  const running = survivor()

  it('get an answer of their own, and the service stays as it was', async () => {
    const service = running()
    const seeds = await httpSeeds(service.url)
    // No connection waits for the timeouts of the service, which have tests of their own.
    const target = new HttpTarget(service, () => startSurvivor(), Number.POSITIVE_INFINITY)
    const parts = { target, seeds, kind: 'http', formats: HTTP_FORMATS }
    const { crashers, outcomes } = await fuzz({ ...shortPlan(), ...parts, maxInputs: Infinity })
    expect([...crashers]).to.deep.equal([])
    const texts = [...outcomes.keys()].join('\n')
    for (const part of ['200', '400 ERR_', '404 ERR_', '415 ERR_']) expect(texts).to.include(part)
    await expectUnharmed(service)
  }).timeout(120_000)
})
