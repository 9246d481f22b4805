import { z } from 'zod'
import { OWN_ERROR } from '../http/dialect.ts'
import { NoQuery, type Operation, parseWith, serve } from '../http/operation.ts'
import type { RequestBody } from '../image/request-body.ts'
import { feedbackPage } from '../pages/feedback-page.ts'
import { sendPage } from '../pages/send-page.ts'
import type { Service } from '../service.ts'

const GROUP = 'Feedback'
const PAGE = { means: 'The page.', content: { 'text/html': 'A page that says thanks.' } }

/** A number is a label, too, where digits are told apart. What is left out is empty. */
const Text = z.union([z.string(), z.number().transform(String)])

const FeedbackRequest = z.object({
  report: Text.default('').describe('The right label, or what is wrong.'),
  id: Text.default('').describe('X-Request-Id of the answer that was wrong.'),
})

const FeedbackAnswer = z.object({
  message: z.literal('Thanks for your feedback'),
  success: z.literal(true),
})
const THANKS: z.output<typeof FeedbackAnswer> = { message: 'Thanks for your feedback', success: true }

const page = {
  method: 'get',
  paths: ['/feedback'],
  group: GROUP,
  summary: 'The page; nothing is stored',
  query: NoQuery,
  answers: { 200: PAGE },
  errors: [],
  errorShape: OWN_ERROR,
} as const satisfies Operation

const report = {
  method: 'post',
  paths: ['/feedback'],
  group: GROUP,
  summary: 'Records that a prediction was wrong',
  query: NoQuery,
  body: {
    'application/x-www-form-urlencoded': FeedbackRequest,
    'multipart/form-data': FeedbackRequest,
    'application/json': FeedbackRequest,
  },
  answers: {
    200: {
      means: 'It is recorded: a page, or JSON where "Accept" prefers it.',
      content: { ...PAGE.content, 'application/json': FeedbackAnswer },
    },
  },
  errors: [400, 408, 413, 415, 503, 507],
  errorShape: OWN_ERROR,
  example: `curl -d report='Eskimo dog' -d id=<X-Request-Id of the answer> $URL/feedback`,
} as const satisfies Operation

/** What people say about wrong predictions, recorded with what was really answered. */
export function feedbackRoutes(service: Service): void {
  const { feedback, images, recentImages, recentPredictions, site } = service
  serve(service, page, (ctx) => sendPage(ctx, feedbackPage(site)))
  serve(service, report, async (ctx) => {
    const body = await images.body(ctx)
    const { report: text, id } = parseWith(FeedbackRequest, objectIn(body), 'body')
    feedback.check(text)
    const facts = recentPredictions.recall(id)
    // Without an answer of ours, the record is known by the id of the report itself.
    const requestId = facts === undefined ? ctx.state.requestId : id
    const image = facts && recentImages.bySha256(facts.sha256)
    // First the image, which can be kept twice without harm: a report that failed after its record would be sent again.
    if (image) await feedback.keepImage(image.sha256, image.bytes, image.extension)
    await feedback.record({ ...facts, requestId, report: text })
    if (ctx.accepts('html', 'json') === 'json') {
      ctx.body = THANKS
      return
    }
    await sendPage(ctx, feedbackPage(site))
  })
}

function objectIn(body: RequestBody): unknown {
  if (body.kind === 'form') return Object.fromEntries(body.fields)
  return body.kind === 'json' ? body.value : {}
}
