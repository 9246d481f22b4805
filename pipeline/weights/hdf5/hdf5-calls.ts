import type { FileWindow } from '../source/file-window.ts'
import type { Hdf5File } from './hdf5-file.ts'

/** A message to the thread that reads an HDF5 file. */
export interface ToReader {
  readonly method: Hdf5Method
  readonly args: readonly unknown[]
}

export type FromReader =
  | { readonly kind: 'result'; readonly value: unknown }
  | {
      readonly kind: 'failure'
      readonly code: 'ERR_MODEL_LOAD' | 'ERR_MODEL_UNSUPPORTED'
      readonly message: string
    }

/** The data that the thread starts with. Its first message says whether the file could be opened. */
export interface ReaderData {
  readonly window: FileWindow
}

export type Hdf5Method =
  | 'isGroup'
  | 'members'
  | 'attributeNames'
  | 'texts'
  | 'dataset'
  | 'probe'
  | 'readBlock'

export type Arguments<Method extends Hdf5Method> = Parameters<Hdf5File[Method]>
export type Result<Method extends Hdf5Method> = ReturnType<Hdf5File[Method]>
