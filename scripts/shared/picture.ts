export interface Picture {
  readonly bytes: Buffer
  readonly name: string
  readonly type: string
}
