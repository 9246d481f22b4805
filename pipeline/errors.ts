/**
 * What can be wrong with a model or an image. The code is the identity; the message is one English sentence with the
 * offending value, and may be shown to whoever sent the image or started the service.
 */
export type PipelineErrorCode =
  /** the model's file is missing, damaged, or not what it says */
  | 'ERR_MODEL_LOAD'
  /** the model is sound, but has a layer or a form that is not supported here */
  | 'ERR_MODEL_UNSUPPORTED'
  /** the settings beside a model are wrong, or do not fit it */
  | 'ERR_MODEL_SETTINGS'
  /** the weights could not be downloaded */
  | 'ERR_WEIGHTS_DOWNLOAD'
  /** the engine or the device that was asked for cannot be had */
  | 'ERR_ENGINE'
  /** the bytes are no image, or a broken one */
  | 'ERR_IMAGE_DECODE'
  /** the image declares more pixels than are allowed */
  | 'ERR_IMAGE_TOO_LARGE'
  /** the image would take far more work or memory than its pixels need */
  | 'ERR_IMAGE_COST'
  /** an image, but of a format that is not read */
  | 'ERR_IMAGE_TYPE'

export class PipelineError extends Error {
  readonly code: PipelineErrorCode

  constructor(code: PipelineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PipelineError'
    this.code = code
  }
}
