import type { Format } from '../formats/format.ts'
import type { Target } from '../target.ts'

/** A part of Tandem that takes bytes from anyone. */
export interface Kind {
  readonly formats: readonly Format[]
  open(): Promise<Opened>
  /** of the file that holds an input */
  extension(input: Buffer): string
}

export interface Opened {
  readonly target: Target
  /** Inputs of every form, most of them sound; always the same ones in the same order. */
  readonly seeds: readonly Buffer[]
}
