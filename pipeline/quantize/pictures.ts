/** Pictures as the model takes them. */
export interface Pictures {
  readonly count: number
  read(at: number): Promise<Uint8Array>
}
