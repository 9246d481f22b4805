import { z } from 'zod'
import { FORM_TYPE, formWith } from '../shared/multipart-form.ts'
import type { Picture } from '../shared/picture.ts'
import type { ServedModels } from './models.ts'
import type { PictureServer } from './picture-server.ts'
import type { Pictures } from './pictures.ts'
import { type Guess, marked, type Question, same } from './question.ts'

const Own = z.object({ predictions: z.array(z.object({ label: z.string(), probability: z.number() })) })
const Vision = z.object({
  message: z.object({ predictions: z.array(z.object({ label: z.string(), proba: z.number() })) }),
})
const Infer = z.object({
  results: z.array(
    z.union([
      z.object({ classes: z.array(z.object({ class: z.string(), confidence: z.number() })) }),
      z.object({ Error: z.string() }),
    ]),
  ),
})
const Flask = z.object({
  most_probable_label: z.string(),
  predictions: z.array(z.object({ label: z.string(), probability: z.string() })),
})
const Classifier = z.object({ prediction: z.string(), score: z.number() })

const UPLOAD_PAGE =
  /<dt>Predicted class<\/dt><dd>([^<]*)<\/dd>\s*<dt>Score<\/dt><dd class="number">([\d.e-]+)/

/** Right predictions: each dialect with the forms of input and of answer that it has. */
export function predictionQuestions(
  { photographs, digits }: Pictures,
  { digit }: ServedModels,
  server: PictureServer,
): Question[] {
  const [first, second, third, , gif] = photographs
  if (!first || !second || !third || !gif) throw new Error('five photographs were expected')
  return [
    ...photographs.map((picture) => body('/vgg', picture)),
    ...[first, third].map((picture) => form('/vgg', 'image', picture, ownGuesses)),
    ...[first, second].map((picture) => download(picture, server)),
    accepting('text/plain', second, same),
    accepting('application/x-ndjson', third, lastGuesses),
    accepting('text/html', second, (text) => same(String(/<title>[^<]*/.exec(text)))),
    ...[first, second].map((picture) => form('/api/predict', 'image', picture, visionGuesses)),
    infer(3, photographs, server),
    infer(undefined, photographs, server),
    ...[second, third].map((picture) => form('/predict', 'file', picture, classifierGuess)),
    ...[first, gif].map((picture) => form('/', 'file', picture, pageGuess)),
    ...digits.map((picture) => form('/predictlabel', 'image', picture, flaskGuesses)),
    ...digits.map((picture) => body(`/${digit}`, picture)),
  ]
}

function body(path: string, picture: Picture): Question {
  return {
    route: `POST ${path}, image`,
    status: 200,
    isKept: true,
    request: (mark) => ({ method: 'POST', path, headers: JSON_WANTED, body: marked(picture, mark).bytes }),
    read: ownGuesses,
  }
}

function form(path: string, field: string, picture: Picture, read: Question['read']): Question {
  const accept = path === '/' ? 'text/html' : 'application/json'
  return {
    route: `POST ${path}, form`,
    status: 200,
    isKept: true,
    request: (mark) => ({
      method: 'POST',
      path,
      headers: { accept, 'content-type': FORM_TYPE },
      body: formWith(field, marked(picture, mark)),
    }),
    read,
  }
}

function download(picture: Picture, server: PictureServer): Question {
  return {
    route: 'POST /vgg, address',
    status: 200,
    isKept: true,
    request: (mark) => ({
      method: 'POST',
      path: '/vgg',
      headers: { ...JSON_WANTED, 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(new URLSearchParams({ url: server.urlOf(picture, mark) }).toString()),
    }),
    read: ownGuesses,
  }
}

function accepting(accept: string, picture: Picture, read: Question['read']): Question {
  return {
    route: `POST /vgg as ${accept}`,
    status: 200,
    isKept: true,
    request: (mark) => ({
      method: 'POST',
      path: '/vgg',
      headers: { accept },
      body: marked(picture, mark).bytes,
    }),
    read,
  }
}

/** Several addresses, of which one leads to nothing. Without `top`, the answer has all classes. */
function infer(top: number | undefined, pictures: readonly Picture[], server: PictureServer): Question {
  const most = top === undefined ? '' : `&top=${top}`
  return {
    route: top === undefined ? 'POST /api/infer, all classes' : 'POST /api/infer',
    status: 200,
    isLong: top === undefined,
    request(mark) {
      const urls = pictures.slice(0, 3).map((picture) => server.urlOf(picture, mark))
      return {
        method: 'POST',
        path: `/api/infer?threshold=0${most}`,
        headers: JSON_WANTED,
        body: Buffer.from(JSON.stringify({ images: [...urls, server.missing] })),
      }
    },
    read: inferGuesses,
  }
}

const JSON_WANTED = { accept: 'application/json' }

function ownGuesses(text: string): Guess[] {
  return Own.parse(JSON.parse(text)).predictions
}

function lastGuesses(text: string): Guess[] {
  return ownGuesses(text.trimEnd().split('\n').at(-1) ?? '')
}

function visionGuesses(text: string): Guess[] {
  const { predictions } = Vision.parse(JSON.parse(text)).message
  return predictions.map(({ label, proba }) => ({ label, probability: proba }))
}

function inferGuesses(text: string): Guess[] {
  return Infer.parse(JSON.parse(text)).results.flatMap((result) =>
    'Error' in result
      ? same(result.Error)
      : result.classes.map((one) => ({ label: one.class, probability: one.confidence })),
  )
}

function flaskGuesses(text: string): Guess[] {
  const { most_probable_label: best, predictions } = Flask.parse(JSON.parse(text))
  const all = predictions.map(({ label, probability }) => ({ label, probability: Number(probability) }))
  return [...same(best), ...all]
}

function classifierGuess(text: string): Guess[] {
  const { prediction, score } = Classifier.parse(JSON.parse(text))
  return [{ label: prediction, probability: score }]
}

function pageGuess(text: string): Guess[] {
  const [, label, score] = UPLOAD_PAGE.exec(text) ?? []
  if (label === undefined) throw new Error('the page has no class')
  return [{ label, probability: Number(score) }]
}
