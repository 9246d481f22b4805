import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { ServedModels } from './models.ts'
import { type Question, same } from './question.ts'

const Models = z.object({ models: z.array(z.object({ name: z.string(), labels: z.number().nullable() })) })
const Feedback = z.object({ message: z.string(), note: z.string().optional() })

/** Pages, documents, and reports of wrong answers. */
export function pageQuestions({ photo, digit }: ServedModels): Question[] {
  const pages = ['/', '/vgg', `/${digit}`, '/status', '/docs', '/feedback'].map((path) =>
    get(path, 'text/html', titleOf),
  )
  return [
    ...pages,
    // The description has the address of the service in it, which stays the same.
    { ...get('/openapi.json', 'application/json', unchanged), isLong: true },
    { ...get(`/labels/${photo}`, 'application/json', unchanged), isLong: true },
    get('/api', 'application/json', unchanged),
    get('/healthz', '*/*', unchanged),
    get('/models', 'application/json', modelNames),
    report(),
  ]
}

function get(path: string, accept: string, read: Question['read']): Question {
  return {
    route: `GET ${path}`,
    status: 200,
    request: () => ({ method: 'GET', path, headers: { accept } }),
    read,
  }
}

/** A report of the newest prediction, which the service must still know. */
function report(): Question {
  return {
    route: 'POST /feedback',
    status: 200,
    request: (_, lastId) => ({
      method: 'POST',
      path: '/feedback',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ report: 'soak test', id: lastId })),
    }),
    read(text) {
      const { message, note = '' } = Feedback.parse(JSON.parse(text))
      return same(`${message}${note}`)
    },
  }
}

function titleOf(text: string) {
  if (!text.includes('</html>')) throw new Error('the page is not whole')
  return same(String(/<title>[^<]*/.exec(text)))
}

function unchanged(text: string) {
  return same(createHash('sha256').update(text).digest('hex'))
}

function modelNames(text: string) {
  return same(JSON.stringify(Models.parse(JSON.parse(text)).models))
}
