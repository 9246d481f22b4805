import { z } from 'zod'
import { OWN_ERROR } from '../http/dialect.ts'
import { NoQuery, type Operation, parseWith, serve } from '../http/operation.ts'
import { ownAddress } from '../http/own-address.ts'
import type { RequestBody } from '../image/request-body.ts'
import { isRequestId } from '../middleware/request-id.ts'
import type { RecalledPrediction } from '../models/report-id.ts'
import { feedbackPage, reportPage } from '../pages/feedback-page.ts'
import { sendPage } from '../pages/send-page.ts'
import type { Service } from '../service.ts'

const GROUP = 'Feedback'
const MAX_CLAIM = 200

const Text = textOrNumber(z.string())
const Claim = textOrNumber(z.string().max(MAX_CLAIM)).default('')

const FeedbackRequest = z.object({
  report: Text.default('').describe('The right label, or what is wrong.'),
  id: Text.default('').describe(
    'The X-Report-Id of the wrong answer; without this header, its X-Request-Id.',
  ),
  model: Claim.describe('The model that answered; recorded if the service no longer knows the answer.'),
  prediction: Claim.describe('The predicted label; recorded if the service no longer knows the answer.'),
})
type FeedbackRequest = z.output<typeof FeedbackRequest>

const FeedbackAnswer = z.object({
  message: z.literal('Thanks for your feedback'),
  success: z.literal(true),
  note: z.string().optional().describe('Present if the service no longer knows the answer with this id.'),
})
const THANKS = { message: 'Thanks for your feedback', success: true } as const

const HowTo = z.object({
  message: z.string(),
  fields: z.record(z.string(), z.string()),
  example: z.string(),
})
const EXAMPLE = `curl -d report='Eskimo dog' -d id=<X-Request-Id of the answer> $URL/feedback`

const page = {
  method: 'get',
  paths: ['/feedback'],
  group: GROUP,
  summary: 'Says how to report a wrong answer; stores nothing',
  query: NoQuery,
  answers: {
    200: {
      means: 'Instructions as text, or a page with a form or JSON if "Accept" prefers that.',
      content: {
        'text/html': 'A page.',
        'application/json': HowTo,
        'text/plain': 'A sentence and a command.',
      },
    },
  },
  errors: [],
  errorShape: OWN_ERROR,
} as const satisfies Operation

const report = {
  method: 'post',
  paths: ['/feedback'],
  group: GROUP,
  summary: 'Records a report of a wrong answer',
  query: NoQuery,
  body: {
    'application/x-www-form-urlencoded': FeedbackRequest,
    'multipart/form-data': FeedbackRequest,
    'application/json': FeedbackRequest,
  },
  answers: {
    200: {
      means: 'The report is recorded. The answer is a page, or JSON if "Accept" prefers that.',
      content: { 'text/html': 'A page that says thanks.', 'application/json': FeedbackAnswer },
    },
  },
  errors: [400, 408, 413, 415, 503, 507],
  errorShape: OWN_ERROR,
  example: EXAMPLE,
} as const satisfies Operation

/** Records users' reports of wrong answers, together with the real answers. */
export function feedbackRoutes(service: Service): void {
  const { feedback, images, recentImages, recentPredictions, site } = service
  serve(service, page, async (ctx) => {
    ctx.vary('Accept')
    const example = EXAMPLE.replace('$URL', ownAddress(ctx))
    // Text comes first: a command line accepts everything, a browser prefers the page.
    const form = ctx.accepts('text/plain', 'html', 'json')
    if (form === 'json') ctx.body = howTo(example)
    else if (form === 'html') await sendPage(ctx, reportPage(site, example))
    else ctx.body = `${howTo(example).message}\n\n${example}\n`
  })
  serve(service, report, async (ctx) => {
    const body = await images.body(ctx)
    const asked = parseWith(FeedbackRequest, objectIn(body), 'body')
    feedback.check(asked.report)
    const facts = recentPredictions.recall(asked.id)
    const image = facts && recentImages.bySha256(facts.sha256)
    // The image first: storing an image twice does no harm, but a report that is recorded and then fails is sent again.
    if (image) await feedback.keepImage(image.sha256, image.bytes, image.extension)
    await feedback.record({ ...recorded(asked, facts, ctx.state.requestId), report: asked.report })
    const note = facts === undefined && asked.id !== '' ? noteFor(asked) : undefined
    if (ctx.accepts('html', 'json') === 'json') {
      ctx.body = { ...THANKS, ...(note !== undefined && { note }) }
      return
    }
    await sendPage(ctx, feedbackPage(site, note))
  })
}

/** A number counts as text, because the label of a digit may come as a number. */
function textOrNumber(text: z.ZodString) {
  return z.union([text, z.number().transform(String)])
}

/** The real answer, if the service still knows it; else the claims of the report, under the id in the report. */
function recorded(asked: FeedbackRequest, facts: RecalledPrediction | undefined, ownId: string) {
  if (facts !== undefined) return { ...facts, source: 'service' } as const
  const { id, model, prediction } = asked
  const requestId = isRequestId(id) ? id : ownId
  const says = { ...(model !== '' && { model }), ...(prediction !== '' && { prediction }) }
  return { requestId, ...says, ...(model + prediction !== '' && { source: 'client' as const }) }
}

/** For an answer that is older than an hour, or from before a restart. */
function noteFor({ id, model, prediction }: FeedbackRequest): string {
  const shown = isRequestId(id) ? `"${id}"` : 'with this id'
  const sent = [...(model === '' ? [] : ['the model']), ...(prediction === '' ? [] : ['the prediction'])]
  const kept =
    sent.length === 0
      ? 'without the model, the prediction and the image'
      : `with ${sent.join(' and ')} that the client sent, but without the image`
  return `The service no longer knows the answer ${shown}: the report is recorded ${kept}.`
}

function howTo(example: string): z.output<typeof HowTo> {
  return {
    message:
      'Send a report of a wrong answer as POST /feedback: a form, or JSON, with the field "report". ' +
      `When the report is recorded, the answer says "${THANKS.message}".`,
    fields: {
      report: 'The right label, or what is wrong.',
      id: 'The X-Report-Id of the answer; without this header, its X-Request-Id.',
      model: 'The model that answered, if the answer is older than an hour.',
      prediction: 'The predicted label, if the answer is older than an hour.',
    },
    example,
  }
}

function objectIn(body: RequestBody): unknown {
  if (body.kind === 'form') return Object.fromEntries(body.fields)
  return body.kind === 'json' ? body.value : {}
}
