import { expect } from 'chai'
import { one } from '../../support/pictures.ts'
import { ask, type RawAnswer } from '../../support/raw-http.ts'
import type { Service } from '../../support/service.ts'
import { HOSTILE_LABEL, smallService } from '../../support/small-service.ts'

interface Answer {
  model: string
  predictions: { label: string }[]
  timing: { queue: number; total: number; cached?: true; shared?: true }
}

describe('An image that comes again', () => {
  const small = smallService()
  const post = (query: string, body: Buffer) => ask(small().url, `POST /digits?${query}`, [], body)

  it('is answered from memory, and the answer says so', async () => {
    const before = await figures(small())
    const [first, second] = [await post('', await picture(1)), await post('', await picture(1))]
    expect(timing(first)).not.to.have.any.keys('cached', 'shared')
    expect(timing(second)).to.include({ cached: true, queue: 0, prepare: 0, predict: 0 })
    expect(predictions(second)).to.deep.equal(predictions(first))
    const after = await figures(small())
    expect(after.difference(before)).to.deep.equal({ hit: 1, miss: 1, shared: 0, calls: 1 })
  })

  it('is answered from memory in every dialect that needs the same guesses', async () => {
    const body = await picture(2)
    await ask(small().url, 'POST /predict?model=digits&top=2', [], body)
    const before = await figures(small())
    const answer = await post('top=2', body)
    expect(timing(answer).cached).to.equal(true)
    expect((await figures(small())).difference(before).calls).to.equal(0)
  })

  it('is computed once for the default answers of all dialects, and once more for all classes', async () => {
    const body = await picture(9)
    const before = await figures(small(), 'small')
    const count = async (query: string) => {
      const answer = (await ask(small().url, `POST /small?${query}`, [], body)).json() as Answer
      return answer.predictions.length
    }
    for (const top of [1, 3, 10]) expect(await count(`top=${top}`)).to.equal(top)
    expect(await count('')).to.equal(5)
    await ask(small().url, 'POST /predict?model=small', [], body)
    await ask(small().url, 'POST /api/predict?model=small', ['Content-Type: image/png'], body)
    const images = [`data:;base64,${body.toString('base64')}`]
    await ask(small().url, 'POST /api/infer?model=small', [], JSON.stringify({ images }))
    expect((await figures(small(), 'small')).difference(before)).to.include({ calls: 1, hit: 6 })
    for (const top of [1000, 11]) expect(await count(`top=${top}`)).to.equal(top)
    expect((await figures(small(), 'small')).difference(before).calls).to.equal(2)
  })

  it('is computed again for another model', async () => {
    const body = await picture(3)
    expect(predictions(await post('top=1', body))).to.have.length(1)
    expect(predictions(await post('top=3', body))).to.have.length(3)
    expect(predictions(await post('', body))).to.have.length(10)
    expect(predictions(await post('top=1', body))).to.have.length(1)
    const other = (await ask(small().url, 'POST /hostile?top=1', [], body)).json() as Answer
    expect(other.model).to.equal('hostile')
    expect(other.predictions[0]?.label).to.contain(HOSTILE_LABEL)
    expect(other.timing).not.to.have.property('cached')
    const named = (await ask(small().url, 'POST /digits?top=1&model=hostile', [], body)).json() as Answer
    expect(named).to.deep.include({ model: 'hostile', predictions: other.predictions })
    expect(named.timing.cached).to.equal(true)
  })

  it('gets the right guesses for each threshold', async () => {
    const images = [`data:;base64,${(await picture(4)).toString('base64')}`]
    const infer = async (query: string) => {
      const answer = await ask(small().url, `POST /api/infer?${query}`, [], JSON.stringify({ images }))
      return (answer.json() as { results: { classes: unknown[] }[] }).results[0]?.classes.length ?? 0
    }
    for (const _ of ['computed', 'remembered']) {
      expect(await infer('threshold=1')).to.equal(0)
      expect(await infer('threshold=0.5')).to.equal(1)
      expect(await infer('threshold=0')).to.be.greaterThan(1)
    }
  })

  it('is not kept if it could not be decoded', async () => {
    const bad = (await picture(5)).subarray(0, 200)
    const before = await figures(small())
    for (let i = 0; i < 2; i++) expect((await post('', bad)).status).to.equal(422)
    expect((await figures(small())).difference(before)).to.include({ hit: 0, miss: 2 })
  })
})

describe('An image that comes many times at once', () => {
  const COUNT = 20
  const FILLERS = 30
  const small = smallService()
  /** Keeps the model busy for a moment, so that all that is tested is in flight together. */
  async function fillers(from: number): Promise<Promise<RawAnswer>[]> {
    const bodies = await Promise.all(Array.from({ length: FILLERS }, (_, i) => picture(from + i)))
    return bodies.map((body) => ask(small().url, 'POST /digits', [], body))
  }

  it('is computed once, and all get the answer', async () => {
    const body = await picture(100)
    const before = await figures(small())
    const waiting = await fillers(200)
    const all = await Promise.all(
      Array.from({ length: COUNT }, () => ask(small().url, 'POST /digits', [], body)),
    )
    await Promise.all(waiting)
    const { calls, ...seen } = (await figures(small())).difference(before)
    expect(calls).to.equal(FILLERS + 1)
    expect(seen.miss).to.equal(FILLERS + 1)
    expect(seen.hit + seen.shared).to.equal(COUNT - 1)
    const told = new Set(all.map((answer) => JSON.stringify(predictions(answer))))
    expect(told.size).to.equal(1)
    const origins = all.map((answer) => timing(answer))
    expect(origins.filter(({ cached, shared }) => !cached && !shared)).to.have.length(1)
    expect(origins.filter(({ shared }) => shared)).to.have.length(seen.shared)
  })
})

interface Figures {
  readonly hit: number
  readonly miss: number
  readonly shared: number
  readonly calls: number
}

/** What /metrics counts of the model `digits`. */
async function figures(
  { url }: Service,
  model = 'digits',
): Promise<Figures & { difference(before: Figures): Figures }> {
  const { text } = await ask(url, 'GET /metrics')
  const count = (name: string, outcome: string) => {
    const line = new RegExp(`^${name}\\{model="${model}",outcome="${outcome}"\\} (\\d+)$`, 'm')
    return Number(line.exec(text)?.[1] ?? 0)
  }
  const cache = (outcome: string) => count('tandem_cache_total', outcome)
  const now = {
    hit: cache('hit'),
    miss: cache('miss'),
    shared: cache('shared'),
    calls: count('tandem_calls_total', 'result'),
  }
  return {
    ...now,
    difference: ({ hit, miss, shared, calls }) => ({
      hit: now.hit - hit,
      miss: now.miss - miss,
      shared: now.shared - shared,
      calls: now.calls - calls,
    }),
  }
}

/** An image of its own for each number, seen by nobody before. */
async function picture(number: number): Promise<Buffer> {
  return Buffer.concat([await one(number), Buffer.from(`cache ${number}`)])
}

function timing(answer: RawAnswer): Answer['timing'] {
  expect(answer.status, answer.text).to.equal(200)
  return (answer.json() as Answer).timing
}

function predictions(answer: RawAnswer): Answer['predictions'] {
  return (answer.json() as Answer).predictions
}
