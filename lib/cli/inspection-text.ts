import { z } from 'zod'
import { inputSentence } from '../models/model-input.ts'
import { outputSentence } from '../models/model-output.ts'
import { batchesSentence } from '../models/model-tuning.ts'
import { readPipelineInfo } from '../models/pipeline-info.ts'
import { printable } from './prediction-table.ts'

const Inspection = z.object({
  path: z.string(),
  layers: z.array(
    z.object({
      name: z.string(),
      className: z.string(),
      shape: z.array(z.number()).optional(),
      parameters: z.number(),
    }),
  ),
  parameters: z.number(),
  refusal: z.object({ code: z.string(), message: z.string() }).optional(),
  served: z.unknown(),
})
export type Inspection = z.output<typeof Inspection>

const MOST_LABELS = 10
const LONGEST_NAME = 44

export function readInspection(info: unknown): Inspection {
  return z.object({ inspection: Inspection }).parse(info).inspection
}

/** The whole inspection as text for a terminal. */
export function inspectionText(model: string, inspection: Inspection): string {
  const { path, layers, parameters, refusal, served } = inspection
  const parts = [
    `${model}: ${path}`,
    '',
    ...(layers.length === 0 ? [] : layersText(layers, parameters)),
    ...(refusal ? [`Cannot be served: ${refusal.message} (${refusal.code})`] : servedLines(served)),
  ]
  return `${parts.map(printable).join('\n')}\n`
}

function layersText(layers: Inspection['layers'], parameters: number): string[] {
  const count = `${layers.length} layers, ${parameters.toLocaleString('en')} parameters`
  return [...layerTable(layers), '', count]
}

function layerTable(layers: Inspection['layers']): string[] {
  const rows = layers.map(({ name, className, shape, parameters }) => [
    name.length > LONGEST_NAME ? `…${name.slice(1 - LONGEST_NAME)}` : name,
    className,
    shape?.join(' × ') ?? '',
    parameters === 0 ? '' : parameters.toLocaleString('en'),
  ])
  const table = [['layer', 'class', 'output', 'parameters'], ...rows]
  // Without spreading the rows into arguments: an ONNX file may have 200,000 operators.
  const widths = [0, 1, 2].map((column) =>
    table.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0),
  )
  return table.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd())
}

function servedLines(served: unknown): string[] {
  const info = readPipelineInfo({ info: served })
  const { input, output, labels, classes, subject, engine, device, tuning, warnings } = info
  const { precision, quantization } = info
  const names = labels.slice(0, MOST_LABELS).join(', ')
  const more = labels.length > MOST_LABELS ? ', …' : ''
  return [
    ...(input ? [inputSentence(input, subject)] : []),
    ...(output ? [outputSentence(output)] : []),
    ...(classes === null ? [] : [`${classes} classes: ${names}${more}`]),
    `Runs on ${engine} ${device}.`,
    ...(quantization === null
      ? []
      : [`${precision === 'fp32' ? 'Precision' : 'Quantized'}: ${quantization}.`]),
    ...(tuning?.sentence ? [`Tuned: ${tuning.sentence}.`] : []),
    ...(tuning && tuning.batches.length > 0 ? [`${batchesSentence(tuning)}.`] : []),
    ...warnings.map((warning) => `Warning: ${warning}`),
  ]
}
