import { InferenceSession, Tensor } from 'onnxruntime-node'
import { Adam, initialValues, type Values } from './adam.ts'
import { type Digits, PIXELS } from './digits.ts'
import { distort } from './distort.ts'
import { CLASSES, INPUT_SIZE, parameters, sizedSteps, sizeOf } from './network.ts'
import { type Random, seeded, shuffle } from './random.ts'
import { trainingGraph } from './training-graph.ts'

export interface Plan {
  readonly digits: Digits
  readonly indices: Int32Array
  readonly epochs: number
  readonly seed: number
  /** Called after each step. `fraction` is the part of the work that is done. */
  progress(fraction: number, epoch: number, loss: number): void
  /** Called after each epoch, with the averaged values so far. */
  epoch(number: number, loss: number, averaged: Values): Promise<void>
}

const BATCH = 100
const RATE = 0.002
// The learning rate rises during this part of all steps.
const WARM_UP = 0.03
// Each feature is left out of a step with this probability.
const DROPOUT = 0.4
// The result is an average over about this many steps at the end, which is better than the values of any single step.
const AVERAGED_STEPS = 1000
// The batches over which the final means and variances of the normalizations are measured.
const MEASURED_BATCHES = 140

/** Trains from scratch. The same plan on the same kind of machine gives the same values. */
export async function train({ digits, indices, epochs, seed, progress, epoch }: Plan): Promise<Values> {
  const random = seeded(seed)
  const step = await steps(digits, random)
  const values = initialValues(parameters(), random)
  const adam = new Adam(values)
  const averaged = copyOf(values)
  const order = indices.slice()
  const perEpoch = Math.floor(order.length / BATCH)
  const all = perEpoch * epochs
  let done = 0
  for (let number = 1; number <= epochs; number++) {
    shuffle(order, random)
    let total = 0
    for (let at = 0; at < perEpoch; at++) {
      const { loss, gradients, statistics } = await step(order.subarray(at * BATCH, (at + 1) * BATCH), values)
      adam.step((name) => gradients.get(name) ?? new Float32Array(), rateAt(done / all))
      done++
      const part = 1 / Math.min(AVERAGED_STEPS, 1 + done / 10)
      mix(averaged, values, part)
      mix(averaged, statistics, part)
      total += loss
      progress(done / all, number, total / (at + 1))
    }
    await epoch(number, total / perEpoch, averaged)
  }
  return measured(averaged, order, step)
}

function rateAt(done: number): number {
  if (done < WARM_UP) return (RATE * (done + 1e-4)) / WARM_UP
  return (RATE * (1 + Math.cos((Math.PI * (done - WARM_UP)) / (1 - WARM_UP)))) / 2
}

interface Stepped {
  readonly loss: number
  readonly gradients: Values
  readonly statistics: Values
}

type TakeStep = (some: Int32Array, values: Values) => Promise<Stepped>

async function steps(digits: Digits, random: Random): Promise<TakeStep> {
  const { model, loss, gradients, statistics } = trainingGraph(BATCH)
  const session = await InferenceSession.create(model, { intraOpNumThreads: 2 })
  const features = sizeOf(sizedSteps().at(-1)?.before ?? [])
  const images = new Float32Array(BATCH * PIXELS)
  const targets = new Float32Array(BATCH * CLASSES)
  const kept = new Float32Array(BATCH * features)
  const own = {
    images: new Tensor('float32', images, [BATCH, 1, INPUT_SIZE, INPUT_SIZE]),
    targets: new Tensor('float32', targets, [BATCH, CLASSES]),
    kept: new Tensor('float32', kept, [BATCH, features]),
  }
  return async (some, values) => {
    targets.fill(0)
    for (const [row, index] of some.entries()) {
      distort(digits.pixels, index * PIXELS, images, row * PIXELS, random)
      targets[row * CLASSES + (digits.labels[index] as number)] = 1
    }
    for (let i = 0; i < kept.length; i++) kept[i] = random() < DROPOUT ? 0 : 1 / (1 - DROPOUT)
    const given = parameters().map(
      ({ name, shape }) =>
        [name, new Tensor('float32', values.get(name) ?? new Float32Array(), shape)] as const,
    )
    const answer = await session.run({ ...own, ...Object.fromEntries(given) })
    const numbers = (name: string) => answer[name]?.data as Float32Array
    return {
      loss: numbers(loss)[0] as number,
      gradients: new Map(parameters().map(({ name }, at) => [name, numbers(gradients[at] ?? '')])),
      statistics: new Map(
        statistics.flatMap(({ layer, mean, variance }) => [
          [`${layer}/moving_mean`, numbers(mean)],
          [`${layer}/moving_variance`, numbers(variance)],
        ]),
      ),
    }
  }
}

/** Measures the means and variances of the normalizations for the final values, over many batches. */
async function measured(values: Values, order: Int32Array, step: TakeStep): Promise<Values> {
  const result = copyOf(values)
  const perEpoch = Math.floor(order.length / BATCH)
  for (let batch = 0; batch < MEASURED_BATCHES; batch++) {
    const at = batch % perEpoch
    const { statistics } = await step(order.subarray(at * BATCH, (at + 1) * BATCH), values)
    mix(result, statistics, 1 / (batch + 1))
  }
  return result
}

function mix(into: Map<string, Float32Array>, values: Values, part: number): void {
  for (const [name, each] of values) {
    const mixed = into.get(name)
    if (!mixed) {
      into.set(name, each.slice())
      continue
    }
    for (let i = 0; i < mixed.length; i++)
      mixed[i] = (mixed[i] as number) * (1 - part) + (each[i] as number) * part
  }
}

function copyOf(values: Values): Map<string, Float32Array> {
  return new Map([...values].map(([name, each]) => [name, each.slice()]))
}
