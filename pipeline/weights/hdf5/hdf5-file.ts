import type { FileWindow } from '../source/file-window.ts'
import { loadError, quote } from '../source/model-file-error.ts'
import type { Block } from './hdf5-blocks.ts'
import { checkedDataset, type Hdf5Dataset } from './hdf5-dataset.ts'
import { type Hdf5Metadata, type Hdf5Module, type Hdf5Sandbox, loadHdf5 } from './hdf5-module.ts'
import { fixedTexts, MAX_TEXT_BYTES, variableTexts } from './hdf5-texts.ts'

/**
 * The limit for the names in an attribute and for the members of a group. Keras' largest image model has 800 layers.
 */
const MAX_NAMES = 20_000
const [GROUP, DATASET] = [0, 1]
const STRING = 3

/**
 * An untrusted HDF5 file. After many failures the library returns whatever lay in its memory, so every status is
 * checked here, and sizes are checked before the library is asked for anything.
 */
export class Hdf5File {
  readonly name: string
  readonly #window: FileWindow
  readonly #sandbox: Hdf5Sandbox
  readonly #module: Hdf5Module
  readonly #file: bigint
  /** The kind of each path that has been looked at. Every part of such a path is a hard link, so it is in this file. */
  readonly #kinds = new Map<string, number>()
  readonly #attributes = new Map<string, readonly string[]>()
  /** The first failure. The library is not called again afterwards, since its memory may be corrupt. */
  #broken: ModelFailure | undefined
  #open = true

  static async open(window: FileWindow): Promise<Hdf5File> {
    const sandbox = await loadHdf5(window)
    return new Hdf5File(window, sandbox, openFile(window, sandbox))
  }

  private constructor(window: FileWindow, sandbox: Hdf5Sandbox, file: bigint) {
    this.name = window.name
    this.#window = window
    this.#sandbox = sandbox
    this.#module = sandbox.module
    this.#file = file
  }

  isGroup(path: string): boolean {
    return this.#kind(path) === GROUP
  }

  /** The names of a group's direct members. */
  members(path: string): string[] {
    if (!this.isGroup(path)) throw loadError(`${this.name} has no group ${quote(path)}.`)
    const names = this.#call(`group ${quote(path)} cannot be read`, () =>
      this.#module.get_names(this.#file, path, false),
    )
    if (names.length > MAX_NAMES) throw this.#tooMany(`group ${quote(path)}`, names.length)
    return names
  }

  attributeNames(path: string): readonly string[] {
    if (this.#kind(path) === undefined) return []
    const known = this.#attributes.get(path)
    if (known) return known
    const names = this.#call(`the attributes of ${quote(path)} cannot be read`, () =>
      this.#module.get_attribute_names(this.#file, path),
    )
    this.#attributes.set(path, names)
    return names
  }

  /** A text or a list of texts; undefined where there is no such attribute. */
  texts(path: string, name: string): string[] | undefined {
    if (!this.attributeNames(path).includes(name)) return undefined
    const what = `attribute ${quote(name)} of ${quote(path)}`
    return this.#call(`${what} cannot be read`, () => {
      const metadata = this.#module.get_attribute_metadata(this.#file, path, name)
      // h5py writes an empty list as a list of numbers.
      if (metadata.total_size === 0 || metadata.shape === null) return []
      if (metadata.type !== STRING) throw loadError(`In ${this.name}, ${what} is no text.`)
      return this.#readTexts(path, name, metadata, what)
    })
  }

  #readTexts(path: string, name: string, { size, total_size: count, vlen }: Hdf5Metadata, what: string) {
    const bytes = size * count
    if (count > MAX_NAMES) throw this.#tooMany(what, count)
    if (bytes > MAX_TEXT_BYTES) {
      throw loadError(`In ${this.name}, ${what} has ${bytes} bytes, the limit is ${MAX_TEXT_BYTES}.`)
    }
    return this.#withMemory(bytes, (pointer) => {
      // Zeros first: after a read that fails half-way, the rest must not look like addresses.
      this.#module.HEAPU8.fill(0, pointer, pointer + bytes)
      this.#check(this.#module.get_attribute_data(this.#file, path, name, BigInt(pointer)))
      if (!vlen) return fixedTexts(this.#module.HEAPU8.slice(pointer, pointer + bytes), size)
      const texts = variableTexts(this.#module.HEAPU8, pointer, count)
      this.#module.reclaim_vlen_memory(this.#file, path, name, BigInt(pointer))
      return texts
    })
  }

  /** Looks at an array without reading it; undefined where there is none. */
  dataset(path: string): Hdf5Dataset | undefined {
    const kind = this.#kind(path)
    if (kind === undefined) return undefined
    if (kind !== DATASET) throw loadError(`In ${this.name}, ${quote(path)} is no array.`)
    const what = `array ${quote(path)}`
    return this.#call(`${what} cannot be looked at`, () => {
      const metadata = this.#module.get_dataset_metadata(this.#file, path)
      const filters = this.#module.get_dataset_filters(this.#file, path)
      return checkedDataset(this.#window, path, metadata, filters)
    })
  }

  /** Reads a part of an array into the caller's memory. */
  readBlock(dataset: Hdf5Dataset, block: Block, into: Float32Array): void {
    const bytes = block.elements * dataset.elementBytes
    this.#call(`array ${quote(dataset.path)} cannot be read`, () =>
      this.#withMemory(bytes, (pointer) => into.set(this.#read(dataset, block, pointer))),
    )
  }

  /** Reads the last number: throws early for an array whose bytes are not in this file. */
  probe(dataset: Hdf5Dataset): void {
    const { path, shape } = dataset
    // Not needed for chunks, which cannot lie in another file, and slow, since a whole chunk would be unpacked.
    if (dataset.chunks) return
    const block = { offset: shape.map((size) => size - 1), count: shape.map(() => 1), elements: 1 }
    this.#call(`array ${quote(path)} cannot be read`, () =>
      this.#withMemory(dataset.elementBytes, (pointer) => this.#read(dataset, block, pointer)),
    )
  }

  #read({ path, elementBytes }: Hdf5Dataset, block: Block, pointer: number): Float32Array {
    const { count, offset, elements } = block
    const ones = count.map(() => 1n)
    this.#check(
      this.#module.get_dataset_data(
        this.#file,
        path,
        count.map(BigInt),
        offset.map(BigInt),
        ones,
        BigInt(pointer),
      ),
    )
    // Read anew each time: when the memory grows, older views of it become empty.
    const { buffer } = this.#module.HEAPU8
    if (elementBytes === 4) return new Float32Array(buffer, pointer, elements)
    return Float32Array.from(new Float64Array(buffer, pointer, elements))
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    try {
      if (!this.#broken) this.#module.close_file(this.#file)
    } catch {
      // Ignored: the library is dropped together with its file.
    }
  }

  #kind(path: string): number | undefined {
    const parts = path.split('/').filter((part) => part !== '' && part !== '.')
    let kind: number = GROUP
    let prefix = ''
    for (const part of parts) {
      if (kind !== GROUP) return undefined
      prefix += `/${part}`
      kind = this.#kinds.get(prefix) ?? this.#lookAt(prefix)
      this.#kinds.set(prefix, kind)
    }
    return kind === MISSING ? undefined : kind
  }

  #lookAt(path: string): number {
    return this.#call(`${quote(path)} cannot be looked at`, () => {
      const soft = this.#module.get_symbolic_link(this.#file, path)
      if (typeof soft === 'string') {
        throw loadError(`In ${this.name}, ${quote(path)} is a soft link to ${quote(soft)}, which is refused.`)
      }
      const { filename } = this.#module.get_external_link(this.#file, path)
      if (filename !== undefined) {
        throw loadError(
          `In ${this.name}, ${quote(path)} is a link to another file, ${quote(filename)}, which is refused.`,
        )
      }
      const kind = this.#module.get_type(this.#file, path)
      return kind === GROUP || kind === DATASET ? kind : MISSING
    })
  }

  #withMemory<Value>(bytes: number, use: (pointer: number) => Value): Value {
    const pointer = this.#module._malloc(Math.max(bytes, 8))
    if (pointer === 0) throw new Error(`no memory for ${bytes} bytes`)
    const value = use(pointer)
    // Not freed after a failure: the library is not used again.
    this.#module._free(pointer)
    return value
  }

  #check(status: number): void {
    if (status < 0) throw new Error('the library could not read it')
  }

  /** Calls the library. Any failure becomes one sentence with the library's innermost reason. */
  #call<Value>(failure: string, use: () => Value): Value {
    if (!this.#open) throw loadError(`${this.name} has been closed.`)
    if (this.#broken) throw this.#broken
    const elsewhere = this.#sandbox.wanted.length
    try {
      const value = use()
      this.#sandbox.takeComplaint()
      return value
    } catch (error) {
      const complaint = this.#sandbox.takeComplaint()
      if (isModelFailure(error)) throw error
      const other = this.#sandbox.wanted[elsewhere]
      const reason = other === undefined ? complaint : `its bytes lie in another file, ${quote(other)}`
      this.#broken = loadError(`In ${this.name}, ${failure}: ${reason ?? 'the file is damaged'}.`, error)
      throw this.#broken
    }
  }

  #tooMany(what: string, count: number) {
    return loadError(`In ${this.name}, ${what} has ${count} entries, the limit is ${MAX_NAMES}.`)
  }
}

type ModelFailure = ReturnType<typeof loadError>

const MISSING = -1

const isModelFailure = (error: unknown): error is ModelFailure =>
  error instanceof Error && error.name === 'PipelineError'

const TRUNCATED = /truncated file: eof = (\d+), .*stored_eof = (\d+)/

function openFile(window: FileWindow, { module, path, takeComplaint }: Hdf5Sandbox): bigint {
  let file = -1n
  let cause: unknown
  try {
    file = module.open(path, 0, false, -1, -1)
  } catch (error) {
    cause = error
  }
  if (file >= 0n) return file
  const complaint = takeComplaint() ?? 'it is no HDF5 file'
  const [, has, needs] = TRUNCATED.exec(complaint) ?? []
  const reason = needs === undefined ? complaint : `it declares ${needs} bytes, the file has ${has}`
  throw loadError(`${window.name} is cut off or damaged: ${reason}.`, cause)
}
