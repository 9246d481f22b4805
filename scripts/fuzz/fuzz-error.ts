/** A wrong option or file, in one sentence for the user. */
export class FuzzError extends Error {
  override readonly name = 'FuzzError'
}

export const EXIT = {
  /** no input had a fault */
  passed: 0,
  /** at least one input had a fault, and is saved as a file */
  found: 1,
  /** an option or the file is wrong */
  usage: 2,
} as const
