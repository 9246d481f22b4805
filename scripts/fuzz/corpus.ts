import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Runs of many hours stay below this. */
const LIMITS = { files: 5000, bytes: 256 * 2 ** 20 } as const

/** A folder of inputs with outcomes of their own. Full, it takes no more. */
export class Corpus {
  readonly #folder: string
  readonly #limits: { readonly files: number; readonly bytes: number }
  readonly #files: Map<string, number>
  #bytes: number

  constructor(folder: string, limits: { readonly files: number; readonly bytes: number } = LIMITS) {
    this.#limits = limits
    mkdirSync(folder, { recursive: true })
    this.#folder = folder
    this.#files = new Map(
      readdirSync(folder)
        .sort()
        .map((name) => [name, statSync(join(folder, name)).size]),
    )
    this.#bytes = [...this.#files.values()].reduce((sum, size) => sum + size, 0)
  }

  get size(): number {
    return this.#files.size
  }

  /** In the order of their names, which their contents give. */
  inputs(): Buffer[] {
    return [...this.#files.keys()].map((name) => readFileSync(join(this.#folder, name)))
  }

  add(input: Buffer, extension: string): void {
    const name = `${contentName(input)}${extension}`
    const { files, bytes } = this.#limits
    const isFull = this.#files.size >= files || this.#bytes + input.length > bytes
    if (isFull || this.#files.has(name)) return
    writeFileSync(join(this.#folder, name), input)
    this.#files.set(name, input.length)
    this.#bytes += input.length
  }
}

export function contentName(input: Buffer): string {
  return createHash('sha256').update(input).digest('hex').slice(0, 16)
}
