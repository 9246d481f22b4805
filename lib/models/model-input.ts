import type { PipelineInput } from './pipeline-info.ts'

/** What is done with an image before the model gets it, in one sentence. */
export function inputSentence(
  { width, height, channels, preprocessing }: PipelineInput,
  subject: string | null,
): string {
  const around = subject === 'digit' ? ' around its digit' : ''
  // Shapes of layers and the setting "size" have the height first.
  const order = width === height ? '' : ' (width × height)'
  return (
    `An image is scaled to ${width} × ${height} pixels${order}${around}, with ${channelWord(channels)}; ` +
    `preprocessing: ${preprocessingWord(preprocessing)}.`
  )
}

function channelWord(channels: number | null): string {
  if (channels === 1) return 'one channel (grey)'
  return channels === 4 ? 'four channels (red, green, blue, opacity)' : 'three channels (red, green, blue)'
}

const PREPROCESSING: ReadonlyMap<string | null, string> = new Map([
  ['none', 'none, from 0 to 255'],
  ['unit', 'unit, from 0 to 1'],
  ['tf', 'tf, from −1 to 1'],
  ['caffe', 'caffe, BGR minus means'],
  ['torch', 'torch, from 0 to 1, then means and deviations'],
  ['teachable-machine', 'teachable-machine, x / 127 − 1'],
])

function preprocessingWord(preprocessing: string | null): string {
  return PREPROCESSING.get(preprocessing) ?? 'not known'
}
