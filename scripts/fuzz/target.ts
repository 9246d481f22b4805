/** What is tried with an input. */
export interface Examiner {
  /** Gives the outcome in a few words: what was read, or the error that the code foresees. Throws any other error. */
  examine(input: Buffer): Promise<string>
  close?(): Promise<void>
}

/** What no input may do. */
export type FaultKind = 'error' | 'slow' | 'memory' | 'hang' | 'death' | 'answer'

export interface Fault {
  readonly kind: FaultKind
  /** The same for two inputs that likely have the same cause. */
  readonly cause: string
  /** For the reader of a report: the error with its stack, the signal, the answer. */
  readonly text: string
}

export interface Result {
  readonly outcome: string
  readonly ms: number
  readonly peakBytes: number
  readonly fault?: Fault
  /** Whether code ran that no earlier input had reached. Undefined if the target cannot tell. */
  readonly isNewPath?: boolean
}

/** Where inputs are tried. */
export interface Target {
  /** Results in the order of the inputs, however they were tried. */
  examine(inputs: readonly Buffer[]): Promise<Result[]>
  close(): Promise<void>
}

export interface Bounds {
  /** of all threads */
  readonly cpuMs: number
  /** beyond what the process had before */
  readonly memoryBytes: number
  /** After this time, a process that has not answered is killed. */
  readonly hangMs: number
}
