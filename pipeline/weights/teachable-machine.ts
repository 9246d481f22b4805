import { MAX_LABELS, MAX_LENGTH, plainLabel } from '../models/labels.ts'
import type { ModelSettings } from '../models/model-settings.ts'
import { field } from './source/parse-json.ts'

/* The files that Teachable Machine puts beside a model, and how it prepares a picture. */

export const METADATA_FILE = 'metadata.json'
export const LABELS_FILE = 'labels.txt'
/** A thousand labels take 30 kB. */
export const MAX_NOTE_BYTES = 2 ** 20

const PREPARATION = { preprocessing: 'teachable-machine', crop: 'canvas', interpolation: 'bilinear' } as const
const NUMBERED = /^(\d+) (.+)$/

/** The settings in a metadata.json; none if the file is of another program. */
export function teachableMachine(text: string | undefined): ModelSettings {
  const metadata = parsed(text)
  const [labels, size] = [field(metadata, 'labels'), field(metadata, 'imageSize')]
  // The package that serves pictures; those for sounds and poses have other inputs.
  if (field(metadata, 'packageName') !== '@teachablemachine/image' || !areLabels(labels)) return {}
  const side = Number.isInteger(size) && Number(size) > 0 && Number(size) <= 4096 ? Number(size) : undefined
  return {
    ...PREPARATION,
    labels: labels.map(plainLabel),
    labelsFile: METADATA_FILE,
    ...(side !== undefined && { size: [side, side] }),
  }
}

/** The settings beside an exported Keras model, whose labels.txt has `0 cat`, `1 dog`, … */
export function numberedLabels(text: string | undefined): ModelSettings {
  const lines = (text ?? '').trim().split(/\r?\n/)
  const labels = lines.map((line, at) => {
    const [, index, label] = NUMBERED.exec(line.trim()) ?? []
    return index === String(at) ? label : undefined
  })
  return areLabels(labels) ? { ...PREPARATION, labels: labels.map(plainLabel), labelsFile: LABELS_FILE } : {}
}

function areLabels(value: unknown): value is string[] {
  const isLabel = (label: unknown) =>
    typeof label === 'string' && label.trim() !== '' && label.length <= MAX_LENGTH
  return Array.isArray(value) && value.length > 0 && value.length <= MAX_LABELS && value.every(isLabel)
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null')
  } catch {
    return undefined
  }
}
