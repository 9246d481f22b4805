/** What keeps a command from its work, in one sentence for the user. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

export const EXIT = {
  /** every request was answered */
  passed: 0,
  /** at least one request failed */
  failed: 1,
  /** an option, the key or the folder of images is wrong */
  usage: 2,
  /** the server cannot be reached, or has no model ready */
  unreachable: 3,
  /** the user ended the test; the report holds what was measured until then */
  endedEarly: 130,
} as const
