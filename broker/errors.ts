/** The failures of a call besides the pipeline's own errors. `code` identifies an error; the message may change. */
export type BrokerErrorCode =
  /** the queue has reached its limit of calls or bytes: try again later */
  | 'ERR_QUEUE_FULL'
  /** the call took too long; its answer is dropped */
  | 'ERR_DEADLINE'
  /** the caller's own signal ended the call */
  | 'ERR_ABORTED'
  /** the child died over this call twice, or could not be replaced */
  | 'ERR_CHILD_EXIT'
  /** the call took more time or memory than a child may take, and its child was ended */
  | 'ERR_COST'
  /** no child could be started, too many times in a row or because of a permanent error */
  | 'ERR_NOT_READY'
  /** the broker is closing or closed */
  | 'ERR_CLOSED'
  /** the input is larger than a message to another host may be */
  | 'ERR_TOO_LARGE'
  /** the pipeline does not declare this method */
  | 'ERR_UNKNOWN_METHOD'
  /** the input or the answer holds something that cannot cross a process boundary (a function, a handle) */
  | 'ERR_NOT_CLONEABLE'
  /** the child wrote bytes into the pipe that are no message */
  | 'ERR_PROTOCOL'
  /** the pipeline failed without a code of its own */
  | 'ERR_PIPELINE'
  /** an option of the Broker has a wrong type or value */
  | 'ERR_OPTION'

export class BrokerError extends Error {
  readonly code: BrokerErrorCode

  constructor(code: BrokerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BrokerError'
    this.code = code
  }
}
