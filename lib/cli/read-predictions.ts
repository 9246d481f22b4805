/** One guess of a model about an image. */
export interface Prediction {
  readonly label: string
  readonly name: string
  readonly wnid?: string
  readonly probability: number
}

/** The guesses in an answer of a pipeline: the list itself, or under `predictions`. Undefined for anything else. */
export function readPredictions(value: unknown): readonly Prediction[] | undefined {
  const list: unknown = isRecord(value) && 'predictions' in value ? value.predictions : value
  return Array.isArray(list) && list.every(isPrediction) ? list.map(picked) : undefined
}

function isPrediction(value: unknown): value is Prediction {
  if (!isRecord(value)) return false
  const { label, name, wnid, probability } = value
  const isNamed = typeof label === 'string' && typeof name === 'string'
  return isNamed && typeof probability === 'number' && (wnid === undefined || typeof wnid === 'string')
}

/** The fields of the HTTP answer, in its order. */
function picked({ label, name, wnid, probability }: Prediction): Prediction {
  return { label, name, ...(wnid === undefined ? {} : { wnid }), probability }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
