import type { LayerList } from '../../pipeline/models/networks/layer-list.ts'
import { bytesOf } from './compiled.ts'
import { noiseImage, smoothImage, tinyInput } from './synthetic.ts'

export interface Branch {
  readonly name: string
  readonly from: number
  readonly to: number
}

export interface ExpectedClasses {
  readonly input: {
    readonly shape: number[]
    readonly formula?: string
    readonly pictures?: string[]
  }
  readonly output: { readonly values: unknown }
  readonly outputs?: readonly { readonly name?: string; readonly values: unknown }[]
  readonly moreInputs?: readonly Pick<ExpectedClasses, 'input' | 'output'>[]
  readonly branches?: readonly Branch[]
  readonly tolerance?: number
  readonly float32?: { readonly values: unknown }
}

/** The input of a golden model, in the order that the compiled model takes. */
export function classesInput(
  shape: readonly number[],
  formula: string | undefined,
  list: LayerList,
): Uint8Array {
  const values = numbersOf(shape, formula)
  // The input of a channels_first model comes pixel by pixel.
  return bytesOf(shape.slice(1).join() === list.inputShape.join() ? values : pixelByPixel(values, shape))
}

function numbersOf(shape: readonly number[], formula: string | undefined): Float32Array {
  const [, height = 0, width = 0] = shape
  if (formula === 'image, noise')
    return Float32Array.from([...smoothImage(height, width), ...noiseImage(height, width)])
  return tinyInput(shape.reduce((a, b) => a * b))
}

function pixelByPixel(values: Float32Array, [n = 0, channels = 0, height = 0, width = 0]: readonly number[]) {
  const result = new Float32Array(values.length)
  for (let image = 0; image < n; image++) {
    for (let place = 0; place < height * width; place++) {
      for (let channel = 0; channel < channels; channel++) {
        const from = (image * channels + channel) * height * width + place
        result[(image * height * width + place) * channels + channel] = values[from] ?? 0
      }
    }
  }
  return result
}

/** The two pictures of Teachable Machine, cut to the middle square, as x / 127 − 1. */
export function teachableInput(): Uint8Array {
  const side = 224
  const cut = (pixels: Uint8Array, width: number, top: number, left: number): number[] =>
    Array.from({ length: side * side * 3 }, (_, i) => {
      const [y, rest] = [Math.floor(i / (side * 3)), i % (side * 3)]
      return (pixels[((y + top) * width + left) * 3 + rest] ?? 0) / 127 - 1
    })
  const pictures = [cut(smoothImage(side, 300), 300, 0, 38), cut(noiseImage(261, side), side, 18, 0)]
  return bytesOf(Float32Array.from(pictures.flat()))
}

export function flatNumbers(values: unknown): number[] {
  return (values as unknown[]).flat(8) as number[]
}
