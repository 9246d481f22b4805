/*
 * Winograd's F(4 × 4, 3 × 3): a 3 × 3 convolution computes tiles of 4 × 4 pixels with 36 multiplications per channel and
 * filter in place of 144. Written as plain operators of ONNX, there are several forms with the same numbers. Which is
 * fastest depends on the sizes of the layer and on the machine, and only a measurement tells.
 */

export interface WinogradForm {
  /** How tiles of the image are cut out and transformed: by a strided 3-D convolution, or by gathering rows and columns. */
  readonly input: 'convolution' | 'gather'
  /** The 36 products: by MatMul for each image, by MatMul for the whole batch, or by a 1 × 1 convolution in 36 groups. */
  readonly product: 'images' | 'batch' | 'groups'
  /** The image is cut into as many strips, so that what is between the steps stays in the cache of the CPU. */
  readonly strips: number
}

/** The convolution that a form computes. */
export interface WinogradShape {
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly filters: number
}

/** [top, left, bottom, right] */
export type Pads = readonly [number, number, number, number]

const FORM = /^(convolution|gather)-(images|batch|groups)-(\d{1,3})$/

export const formName = ({ input, product, strips }: WinogradForm): string => `${input}-${product}-${strips}`

/** Undefined for a text that names no form. */
export function formNamed(name: string): WinogradForm | undefined {
  const [, input, product, strips] = FORM.exec(name) ?? []
  if (input === undefined || Number(strips) < 1) return undefined
  return { input, product, strips: Number(strips) } as WinogradForm
}
