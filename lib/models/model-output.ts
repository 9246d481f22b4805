import { z } from 'zod'

/** What a model answers with, as the child has found out. */
export const ModelOutput = z.object({
  kind: z.enum(['classes', 'features']).describe('One number for each class, or the features of an image.'),
  shape: z.array(z.int()).describe("The shape of the model's own output for one image."),
  inside: z
    .enum(['softmax', 'log_softmax', 'sigmoid', 'linear', 'unknown'])
    .describe('The function at the end of the model; "linear" is none.'),
  knownBy: z
    .enum(['last layer', 'sample answers', 'not needed'])
    .describe(
      'How that is known: from the last layer, or from the answers to a few sample pictures. Features are served as they are, so nothing else is asked for them.',
    ),
  applied: z
    .enum(['softmax', 'sigmoid', 'none'])
    .describe("The function that is applied to the model's numbers."),
  numbers: z
    .enum(['probabilities', 'independent probabilities', 'scores', 'features'])
    .describe('What the numbers of an answer are. Only "probabilities" sum to 1.'),
  others: z
    .array(z.object({ name: z.string(), shape: z.array(z.int()) }))
    .optional()
    .describe('The other outputs of a model with several, whose numbers the JSON answers have in "outputs".'),
})
export type ModelOutput = z.output<typeof ModelOutput>

/** Null for the user's own pipeline, which tells nothing. */
export function readOutput(value: unknown): ModelOutput | null {
  return ModelOutput.safeParse(value).data ?? null
}

/** What was done to the numbers of the model, in one sentence, and a second one about other outputs. */
export function outputSentence(output: ModelOutput): string {
  const { others = [] } = output
  if (others.length === 0) return servedSentence(output)
  const names = others.map(({ name, shape }) => `${name} (${shape.join(' × ')})`)
  return `${servedSentence(output)} JSON answers also have the numbers of ${names.join(', ')}.`
}

function servedSentence({ inside, applied, numbers, knownBy, shape }: ModelOutput): string {
  if (numbers === 'features') return `Answers with features: ${shape.join(' × ')} numbers for each picture.`
  const how = knownBy === 'last layer' ? '' : ', as sample pictures show'
  if (applied !== 'none') {
    const own = inside === 'linear' ? 'logits' : `own ${inside.replace('_', ' ')}`
    return `Probabilities by ${applied}, applied to the model’s ${own}${how}.`
  }
  if (numbers === 'scores') return `Scores of the model as they are, not probabilities${how}.`
  const each = numbers === 'probabilities' ? '' : ', each class by itself'
  return `Probabilities by the model’s own ${inside}${each}${how}.`
}
