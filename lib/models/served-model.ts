import { z } from 'zod'
import { ModelOutput } from './model-output.ts'
import { ModelError } from './model-state.ts'

export const ServedModel = z.object({
  name: z.string(),
  state: z.string(),
  error: ModelError.describe('Why the model is not ready.'),
  version: z
    .string()
    .nullable()
    .describe('Identifies weights and settings. The same image gets the same answer from the same version.'),
  subject: z
    .string()
    .nullable()
    .describe('What the model classifies: "picture", or "digit" for the one digit on a picture.'),
  labels: z.int().nullable().describe('The number of classes. GET /labels/{model} lists the labels.'),
  input: z
    .object({
      width: z.int(),
      height: z.int(),
      channels: z.int().nullable().describe('1: grey. 3: colours. 4: colours and opacity.'),
      preprocessing: z.string().nullable().describe('What is done to the pixels; see docs/models.md.'),
    })
    .nullable()
    .describe('The size in pixels to which each image is scaled, and what its pixels become.'),
  output: ModelOutput.nullable().describe('What the model answers with, and what is done to its numbers.'),
  hosts: z
    .int()
    .optional()
    .describe('The number of ready model hosts; present if other hosts compute the predictions (ROLE=web).'),
  versions: z
    .array(z.string())
    .optional()
    .describe('The versions on the ready model hosts: two while the hosts are being updated.'),
})

export type ServedModel = z.output<typeof ServedModel>
