import { crc32 } from 'node:zlib'
import { FORM_TYPE, formWith } from '../shared/multipart-form.ts'
import type { Picture } from '../shared/picture.ts'
import type { PictureServer } from './picture-server.ts'
import type { Pictures } from './pictures.ts'
import type { Question, Request } from './question.ts'

const NO_IMAGE: Picture = { bytes: Buffer.from('This is no image.'), name: 'text.txt', type: 'text/plain' }
/** 3.6 billion pixels in 33 bytes. */
const BOMB_SIDE = 60_000

/** Requests whose right answer is an error with a certain code. */
export function refusedQuestions({ digits }: Pictures, server: PictureServer): Question[] {
  const [digit] = digits
  if (digit === undefined) throw new Error('a digit was expected')
  const damaged = Buffer.from(digit.bytes)
  damaged.fill(0, Math.floor(damaged.length / 2))
  return [
    refused('no image', 415, 'ERR_IMAGE_TYPE', image('/vgg', NO_IMAGE.bytes)),
    refused('damaged image', 422, 'ERR_IMAGE_DECODE', image('/vgg', damaged)),
    refused('image bomb', 413, 'ERR_IMAGE_TOO_LARGE', image('/vgg', pngOf(BOMB_SIDE))),
    refused('unknown model', 404, 'ERR_MODEL_UNKNOWN', image('/vgg?model=nowhere', digit.bytes)),
    refused('no such page', 404, 'ERR_NOT_FOUND', { method: 'GET', path: '/no/such/page' }),
    refused('wrong method', 405, 'ERR_METHOD_NOT_ALLOWED', { method: 'DELETE', path: '/vgg' }),
    refused('private address', 422, 'ERR_URL_FETCH', address('http://10.0.0.1/a.png')),
    refused('missing picture', 422, 'ERR_URL_STATUS', address(server.missing)),
    refused('no JSON', 400, 'ERR_BAD_REQUEST', json('/api/infer', '{"images":[')),
    refused('no field "image"', 400, 'ERR_INPUT_MISSING', form('/api/predict', 'other', digit)),
    refused('no image in a form', 400, 'ERR_IMAGE_TYPE', form('/predict', 'file', NO_IMAGE)),
    refused('empty report', 400, 'ERR_FEEDBACK_EMPTY', json('/feedback', '{"report":""}')),
  ]
}

function refused(what: string, status: number, code: string, request: Request): Question {
  return { route: `refused: ${what}`, status, code, request: () => request, read: () => [] }
}

function image(path: string, bytes: Buffer): Request {
  return post(path, 'image/png', bytes)
}

function json(path: string, text: string): Request {
  return post(path, 'application/json', Buffer.from(text))
}

function form(path: string, field: string, picture: Picture): Request {
  return post(path, FORM_TYPE, formWith(field, picture))
}

function address(url: string): Request {
  const body = Buffer.from(new URLSearchParams({ url }).toString())
  return post('/vgg', 'application/x-www-form-urlencoded', body)
}

function post(path: string, type: string, body: Buffer): Request {
  return { method: 'POST', path, headers: { accept: 'application/json', 'content-type': type }, body }
}

function pngOf(side: number): Buffer {
  const header = Buffer.alloc(25)
  header.writeUInt32BE(13, 0)
  header.write('IHDR', 4, 'latin1')
  header.writeUInt32BE(side, 8)
  header.writeUInt32BE(side, 12)
  header.set([8, 2, 0, 0, 0], 16)
  header.writeUInt32BE(crc32(header.subarray(4, 21)), 21)
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), header])
}
