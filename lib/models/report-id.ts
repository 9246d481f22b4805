import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

/** The facts about an answer that a report records. */
export interface PredictionFacts {
  readonly sha256: string
  readonly model: string
  readonly version: string
  readonly prediction: string
  readonly score: number
}

export interface RecalledPrediction extends PredictionFacts {
  readonly requestId: string
}

/** Far longer than any id: a longer text is not decoded. */
const MAX_LENGTH = 4096
const Signed = z.tuple([z.number(), z.string(), z.string(), z.string(), z.string(), z.string(), z.number()])

/** `<facts>.<signature>`: the facts are in the id, so that web hosts need no common memory. */
export function writeReportId(prediction: RecalledPrediction, key: string, until: number): string {
  const { requestId, sha256, model, version, prediction: name, score } = prediction
  const facts = Buffer.from(JSON.stringify([until, requestId, sha256, model, version, name, score]))
  const text = facts.toString('base64url')
  return `${text}.${signature(text, key).toString('base64url')}`
}

/** Undefined for a text that is no such id, was signed with another key, or is too old. */
export function readReportId(
  id: string,
  keys: readonly string[],
  now: number,
): RecalledPrediction | undefined {
  const [text = '', signed = '', ...more] = id.length > MAX_LENGTH ? [] : id.split('.')
  const given = Buffer.from(signed, 'base64url')
  const isSigned = keys.some((key) => {
    const expected = signature(text, key)
    return given.length === expected.length && timingSafeEqual(given, expected)
  })
  if (!isSigned || more.length > 0) return undefined
  const [until, requestId, sha256, model, version, prediction, score] = Signed.parse(
    JSON.parse(Buffer.from(text, 'base64url').toString()),
  )
  return until < now ? undefined : { requestId, sha256, model, version, prediction, score }
}

function signature(text: string, key: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
