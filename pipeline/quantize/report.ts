import type { Agreement } from './agreement.ts'
import type { Quantization } from './quantized.ts'

export interface Report extends Quantization {
  /** The same pictures with ranges from end to end, as most tools choose them. */
  readonly minmax: Agreement | undefined
  readonly layers: readonly LayerNoise[]
  /** The outputs of units that stay float. */
  readonly floats: readonly string[]
  readonly bits: 7 | 8
  readonly pictures: { readonly calibration: number; readonly heldBack: number }
}

export interface LayerNoise {
  readonly tensor: string
  /** The noise in the answers from this tensor alone; more is better. */
  readonly decibels: number
  readonly isFloat: boolean
}

export function reportText(report: Report): string {
  const {
    method,
    precision,
    agreement,
    minmax,
    target,
    floatMs,
    ms,
    floatBytes,
    bytes,
    layers,
    floats,
    bits,
  } = report
  const { calibration, heldBack } = report.pictures
  const what = precision === 'dense' ? 'Dense layers alone as bytes' : 'All layers as bytes'
  const verdict = agreement.top1 >= target ? 'good enough to be used' : 'NOT used'
  const kept =
    floats.length === 0 ? [] : [`${floats.length} layers stay float: ${floats.map(layerName).join(', ')}`]
  return [
    `${what}, weights of ${bits} bits, ${calibration} pictures to calibrate, ${heldBack} others to check.`,
    '',
    `${'scales'.padEnd(22)}${['top-1', 'top-5', 'difference', 'noise'].map((head) => head.padStart(12)).join('')}`,
    row(method === 'squares' ? 'least squared error' : 'min-max', agreement),
    ...(minmax ? [row('min-max', minmax)] : []),
    '',
    'top-1 and top-5: how many best classes are those of the float model. difference: the largest difference of two',
    'probabilities. noise: the error of the answers, in decibels below the answers.',
    '',
    `The same best class: ${percent(agreement.top1)}, wanted ${percent(target)}: ${verdict}. Expected of other pictures: ${percent(agreement.expected)}.`,
    `Speed for one image: ${floatMs.toFixed(1)} ms as floats, ${ms.toFixed(1)} ms as bytes, ${(floatMs / ms).toFixed(2)} times as fast.`,
    ...(ms < floatMs ? [] : ['As bytes, the model is not faster: serve it as floats.']),
    `Weights: ${mebibytes(floatBytes)} as floats, ${mebibytes(bytes)} as bytes.`,
    ...kept,
    ...(layers.length === 0 ? [] : ['', 'Noise of each layer alone, in decibels:']),
    ...layers.map(({ tensor, decibels, isFloat }) => {
      return `  ${layerName(tensor).padEnd(40)} ${decibels.toFixed(1).padStart(6)}${isFloat ? '  float' : ''}`
    }),
    '',
  ].join('\n')
}

function row(name: string, { top1, top5, difference, decibels }: Agreement): string {
  const numbers = [percent(top1), percent(top5), difference.toFixed(4), `${decibels.toFixed(1)} dB`]
  return `${name.padEnd(22)}${numbers.map((number) => number.padStart(12)).join('')}`
}

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`

export const layerName = (tensor: string): string => tensor.slice(tensor.indexOf(':') + 1)

const WIDTH = 720
const ROW = 18
const LEFT = 230
const TOP = 76
const MOST_DECIBELS = 80

/** The noise of each layer as a bar. */
export function chartOf({ layers, agreement, floatMs, ms }: Report): string {
  const height = TOP + layers.length * ROW + 30
  const across = (decibels: number) =>
    ((WIDTH - LEFT - 60) * Math.min(decibels, MOST_DECIBELS)) / MOST_DECIBELS
  const bars = layers.map(({ tensor, decibels, isFloat }, i) => {
    const y = TOP + i * ROW
    const width = across(decibels).toFixed(1)
    return [
      `<text x="${LEFT - 8}" y="${y + 12}" text-anchor="end">${escaped(layerName(tensor))}</text>`,
      `<rect x="${LEFT}" y="${y + 2}" width="${width}" height="${ROW - 5}" fill="${isFloat ? '#999999' : '#2a6fb0'}"/>`,
      `<text x="${(LEFT + Number(width) + 6).toFixed(1)}" y="${y + 12}">${decibels.toFixed(1)}${isFloat ? ' (float)' : ''}</text>`,
    ].join('')
  })
  const summary = `${percent(agreement.top1)} of ${agreement.images} pictures have the same best class; ${(floatMs / ms).toFixed(2)} times as fast`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    '<text x="16" y="26" font-size="16">Noise of each layer as bytes, in decibels below the answers</text>',
    `<text x="16" y="48">${escaped(summary)}</text>`,
    '<text x="16" y="66" fill="#555555">Longer is better. Grey layers stay float.</text>',
    ...bars,
    '</svg>',
    '',
  ].join('\n')
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] ?? sign)
