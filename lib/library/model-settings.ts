/** The settings of a model, as in a settings file beside the model; docs/models.md explains each. */
export interface ModelSettings {
  /** the names of the classes, or the path of a file that has them; "imagenet" for the classes of ImageNet */
  readonly labels?: readonly string[] | string
  readonly preprocessing?: 'caffe' | 'tf' | 'torch' | 'unit' | 'none' | 'teachable-machine'
  readonly size?: readonly [height: number, width: number]
  readonly interpolation?: 'nearest' | 'bilinear' | 'bicubic'
  readonly crop?: boolean | 'canvas'
  readonly exif?: boolean
  readonly colourProfile?: boolean
  readonly kernels?: 'correlation' | 'rotated'
  readonly subject?: 'picture' | 'digit'
  readonly top?: number
  readonly output?: 'auto' | 'softmax' | 'sigmoid' | 'none'
  readonly kind?: 'classes' | 'features'
  readonly head?: string | number
  readonly precision?: 'fp32' | 'int8' | 'auto'
  readonly dense?: 'fp32' | 'int8'
}
