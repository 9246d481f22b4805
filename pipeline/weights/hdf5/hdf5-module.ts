import { existsSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FileWindow } from '../source/file-window.ts'

/** The functions used of the HDF5 library's WebAssembly build. Handles and sizes are the library's. */
export interface Hdf5Module {
  readonly HEAPU8: Uint8Array
  _malloc(bytes: number): number
  _free(pointer: number): void
  open(path: string, mode: number, trackOrder: boolean, low: number, high: number): bigint
  close_file(file: bigint): number
  get_type(file: bigint, path: string): number
  get_symbolic_link(file: bigint, path: string): string | null
  get_external_link(file: bigint, path: string): { filename?: string }
  get_names(file: bigint, path: string, recursive: boolean): string[]
  get_attribute_names(file: bigint, path: string): string[]
  get_attribute_metadata(file: bigint, path: string, name: string): Hdf5Metadata
  get_attribute_data(file: bigint, path: string, name: string, pointer: bigint): number
  reclaim_vlen_memory(file: bigint, path: string, name: string, pointer: bigint): number
  get_dataset_metadata(file: bigint, path: string): Hdf5Metadata
  get_dataset_filters(file: bigint, path: string): { id: number; name: string }[]
  get_dataset_data(
    file: bigint,
    path: string,
    count: bigint[],
    offset: bigint[],
    strides: bigint[],
    pointer: bigint,
  ): number
}

export interface Hdf5Metadata {
  readonly type: number
  /** of one element */
  readonly size: number
  /** how many elements */
  readonly total_size: number
  readonly shape: number[] | null
  readonly chunks: number[] | null
  readonly vlen: boolean
  readonly signed: boolean
  readonly virtual_sources?: readonly { readonly file_name: string }[]
}

/** An instance of the library that can see only one file. */
export interface Hdf5Sandbox {
  readonly module: Hdf5Module
  readonly path: string
  /** Returns the innermost reason of the failures since the last call, and forgets them. */
  takeComplaint(): string | undefined
  /** The names of other files that the library tried to open because the file names them. */
  readonly wanted: readonly string[]
}

const FOLDER = '/model'
const FILE = 'model.h5'

/*
 * The build for Node gives HDF5 access to the whole disk: an untrusted file could have other files opened, by an
 * external link, external storage, a virtual dataset or a filter to load. So the build for browsers is used. Its file
 * system is in memory, and has only the one file to read.
 *
 * Each file gets its own instance of the library (40 ms). The instance's memory never shrinks, and is freed with it;
 * and a broken file that corrupts this memory cannot affect other files.
 */
export async function loadHdf5(window: FileWindow): Promise<Hdf5Sandbox> {
  const complaints: string[] = []
  const complain = (line: string) => {
    const reason = REASON.exec(line)?.[1]
    if (reason !== undefined && complaints.length < MAX_COMPLAINTS) complaints.push(reason)
  }
  const factory = await importFactory()
  const module = await factory({ noInitialRun: true, print: complain, printErr: complain })
  const wanted: string[] = []
  module.FS.mkdir(FOLDER)
  module.FS.mount(oneFile(module.FS, window, wanted), {}, FOLDER)
  // Relative names of other files are then looked up in FOLDER, and recorded in `wanted`.
  module.FS.chdir(FOLDER)
  return {
    module,
    path: `${FOLDER}/${FILE}`,
    wanted,
    takeComplaint: () => complaints.splice(0).at(-1),
  }
}

// A line of the library's error stack:
// "  #006: /build/src/H5Fsuper.c line 577 in H5F__super_read(): truncated file: eof = 32648, ..."
const REASON = /^\s*#\d+: .* in \w+\(\): (.{1,200})/
const MAX_COMPLAINTS = 1000

interface FileSystem {
  mkdir(path: string): void
  mount(type: object, options: object, path: string): void
  chdir(path: string): void
  createNode(parent: FsNode | null, name: string, mode: number, device: number): FsNode
  readonly ErrnoError: new (errno: number) => Error
}

interface FsNode {
  readonly id: number
  mode: number
  node_ops: object
  stream_ops: object
}

type Factory = (options: object) => Promise<Hdf5Module & { readonly FS: FileSystem }>

/**
 * The package exports only one instance, already made. The function that makes instances is in a file that the package
 * does not export, so its path is searched in the folders of packages.
 */
async function importFactory(): Promise<Factory> {
  const folders = createRequire(import.meta.url).resolve.paths(FACTORY) ?? []
  const path = folders.map((folder) => join(folder, FACTORY)).find((candidate) => existsSync(candidate))
  if (path === undefined) throw new Error(`the package h5wasm is not installed, or has no ${FACTORY}`)
  return ((await import(pathToFileURL(path).href)) as { default: Factory }).default
}

const FACTORY = 'h5wasm/dist/esm/hdf5_util.js'

// Error numbers and file modes of the library's file system.
const ENOENT = 44
const EIO = 29
const READ_ONLY_FOLDER = 0o40555
const READ_ONLY_FILE = 0o100444

function oneFile(fs: FileSystem, window: FileWindow, wanted: string[]): object {
  const attributes = (node: FsNode, size: number) => {
    const then = new Date(0)
    const { id: ino, mode } = node
    const times = { atime: then, mtime: then, ctime: then }
    return { dev: 1, ino, mode, nlink: 1, uid: 0, gid: 0, rdev: 0, size, blksize: 4096, blocks: 1, ...times }
  }
  return {
    mount() {
      const root = fs.createNode(null, '/', READ_ONLY_FOLDER, 0)
      const file = fs.createNode(root, FILE, READ_ONLY_FILE, 0)
      root.stream_ops = {}
      root.node_ops = {
        getattr: (node: FsNode) => attributes(node, 0),
        lookup(_: FsNode, name: string) {
          if (name === FILE) return file
          if (wanted.length < MAX_COMPLAINTS) wanted.push(name)
          throw new fs.ErrnoError(ENOENT)
        },
      }
      file.node_ops = { getattr: (node: FsNode) => attributes(node, window.size) }
      file.stream_ops = {
        read(_: object, buffer: Uint8Array, offset: number, length: number, position: number) {
          const available = Math.max(0, Math.min(length, window.size - position))
          try {
            return available && readSync(window.fd, buffer, offset, available, window.start + position)
          } catch {
            throw new fs.ErrnoError(EIO)
          }
        },
        llseek: (stream: { position: number }, offset: number, whence: number) =>
          offset + ([0, stream.position, window.size][whence] ?? 0),
      }
      return root
    },
  }
}
