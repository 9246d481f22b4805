import { expect } from 'chai'
import { z } from 'zod'
import { HttpError } from '../../../lib/http/errors.ts'
import { parseWith } from '../../../lib/http/operation.ts'
import { queryOf, wholeNumber } from '../../../lib/http/query.ts'
import type { Source } from '../../../lib/http/schema-sentence.ts'
import { type Service, scripted, startService } from '../../support/service.ts'

const Query = z.object({
  model: z.string().optional(),
  top: wholeNumber(1, 1000).optional(),
  threshold: z.string().regex(/\d/).pipe(z.coerce.number<string>().min(0).max(1)).optional(),
})
const Images = z.object({ images: z.array(z.unknown()) })
const Report = z.object({ report: z.union([z.string(), z.number().transform(String)]).default('') })

function sentence(schema: z.ZodType, value: unknown, source: Source): string {
  try {
    parseWith(schema, value, source)
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    expect(error.code).to.equal('ERR_BAD_REQUEST')
    return error.message
  }
  throw new Error('nothing was thrown')
}

const ofQuery = (querystring: string, schema: z.ZodType = Query) =>
  sentence(schema, queryOf({ querystring }), 'query')

describe('A parameter of the query', () => {
  const top = 'top must be a whole number from 1 to 1000, but the query says'
  const wrong: Record<string, string> = {
    'top=abc': `${top} "abc".`,
    'top=0': `${top} "0".`,
    'top=1001': `${top} "1001".`,
    'top=2.5': `${top} "2.5".`,
    'top=': `${top} "".`,
    'top=1e3': `${top} "1e3".`,
    'top=0x10': `${top} "0x10".`,
    'top=%207': `${top} " 7".`,
    'top=7.0': `${top} "7.0".`,
    'top=-7': `${top} "-7".`,
    'top=5&top=3': 'top may be given once, but the query has more than one value for top.',
    'model=a&model=b&model=c': 'model may be given once, but the query has more than one value for model.',
    'threshold=high': 'threshold must be a number from 0 to 1, but the query says "high".',
    'threshold=1.5': 'threshold must be a number from 0 to 1, but the query says "1.5".',
    'threshold=0.1&threshold=0.1':
      'threshold may be given once, but the query has more than one value for threshold.',
  }
  for (const [query, expected] of Object.entries(wrong)) {
    it(`?${query} is refused in one sentence`, () => {
      expect(ofQuery(query)).to.equal(expected)
    })
  }

  it('that is a whole number may have zeros in front', () => {
    expect(parseWith(Query, queryOf({ querystring: 'top=007' }), 'query').top).to.equal(7)
    expect(parseWith(Query, queryOf({ querystring: 'top=1000' }), 'query').top).to.equal(1000)
  })

  it('that is long is shown in part', () => {
    expect(ofQuery(`top=${'x'.repeat(500)}`)).to.equal(`${top} "${'x'.repeat(60)}…".`)
  })

  it('of any other schema is refused in the same words', () => {
    const schema = z.object({
      since: z.coerce.number().int().min(0).optional(),
      form: z.enum(['short', 'long']).optional(),
      most: z.coerce.number().max(9).optional(),
      id: z.coerce.number().int().optional(),
    })
    expect(ofQuery('since=-1', schema)).to.equal(
      'since must be a whole number of at least 0, but the query says "-1".',
    )
    expect(ofQuery('form=x', schema)).to.equal('form must be one of short, long, but the query says "x".')
    expect(ofQuery('most=10', schema)).to.equal(
      'most must be a number of at most 9, but the query says "10".',
    )
    expect(ofQuery('id=x', schema)).to.equal('id must be a whole number, but the query says "x".')
  })
})

describe('A body of JSON', () => {
  it('with a wrong or a missing part is refused in one sentence', () => {
    const images = 'images must be a list, but the body'
    expect(sentence(Images, { images: 'a' }, 'body')).to.equal(`${images} says "a".`)
    expect(sentence(Images, { images: {} }, 'body')).to.equal(`${images} has an object.`)
    expect(sentence(Images, {}, 'body')).to.equal(`${images} has none.`)
    expect(sentence(Images, Object.create({ images: 1 }), 'body')).to.equal(`${images} has none.`)
    expect(sentence(Report, { report: ['a'] }, 'body')).to.equal(
      'report must be a text or a number, but the body has a list.',
    )
  })

  it('with a text that is too long is refused with both lengths', () => {
    const short = z.string().max(3)
    const schema = z.object({
      name: short.optional(),
      label: z.union([z.number(), short]).default(''),
    })
    const tooLong = 'must have at most 3 characters, but has 4.'
    expect(sentence(schema, { name: 'four' }, 'body')).to.equal(`name ${tooLong}`)
    expect(sentence(schema, { label: 'four' }, 'body')).to.equal(`label ${tooLong}`)
    expect(ofQuery('name=four', schema)).to.equal(`name ${tooLong}`)
    expect(sentence(schema, { label: ['four'] }, 'body')).to.equal(
      'label must be a number or a text, but the body has a list.',
    )
  })

  it('that is no object is refused in one sentence', () => {
    expect(sentence(Images, [], 'body')).to.equal('The body must be an object, but is a list.')
    expect(sentence(Images, 7, 'body')).to.equal('The body must be an object, but is "7".')
    expect(sentence(Images, undefined, 'body')).to.equal('The body must be an object, but is missing.')
  })

  it('with a wrong entry in a list is refused with the position of the entry', () => {
    const schema = z.object({ sizes: z.array(z.number()) })
    expect(sentence(schema, { sizes: [1, 'x'] }, 'body')).to.equal(
      'sizes.1 must be a number, but the body says "x".',
    )
  })
})

describe('A request with a wrong query', () => {
  let service: Service
  before(async () => {
    service = await startService(scripted({}))
    await service.ready()
  })
  after(() => service.stop())

  it('is answered with 400, the code and the sentence', async () => {
    const answer = await fetch(`${service.url}/model?top=5&top=3`, { method: 'POST', body: 'x' })
    expect(answer.status).to.equal(400)
    expect(((await answer.json()) as { error: object }).error).to.include({
      code: 'ERR_BAD_REQUEST',
      message: 'top may be given once, but the query has more than one value for top.',
    })
  })

  it('is refused for a number that is not written in digits', async () => {
    const answer = await fetch(`${service.url}/model?top=1e3`, { method: 'POST', body: 'x' })
    expect(answer.status).to.equal(400)
    expect(await answer.text()).to.contain('top must be a whole number from 1 to 1000')
  })
})
