/**
 * What can be wrong with a model or an image. The code identifies the error; the message is one English sentence with
 * the offending value, and may be shown to the client or to the user who started the service.
 */
export type PipelineErrorCode =
  /** the model's file is missing or damaged, or contradicts itself */
  | 'ERR_MODEL_LOAD'
  /** the model is sound, but has a layer or a form that Tandem does not support */
  | 'ERR_MODEL_UNSUPPORTED'
  /** the settings beside a model are wrong, or do not fit it */
  | 'ERR_MODEL_SETTINGS'
  /** the model is to be served as bytes, and has not been quantized for this machine */
  | 'ERR_NOT_QUANTIZED'
  /** the weights could not be downloaded */
  | 'ERR_WEIGHTS_DOWNLOAD'
  /** the requested engine or device cannot be used, or failed */
  | 'ERR_ENGINE'
  /** the bytes are not an image, or are a broken one */
  | 'ERR_IMAGE_DECODE'
  /** the image declares more pixels than are allowed */
  | 'ERR_IMAGE_TOO_LARGE'
  /** the image would take far more work or memory than its pixels need */
  | 'ERR_IMAGE_COST'
  /** the bytes are an image in a format that Tandem does not read */
  | 'ERR_IMAGE_TYPE'

export class PipelineError extends Error {
  readonly code: PipelineErrorCode

  constructor(code: PipelineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PipelineError'
    this.code = code
  }
}
