import { closeSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { openWindow } from './file-window.ts'
import { detectContainer } from './model-format.ts'

const TFJS_FILE = 'model.json'

/** Whether a file is one to be run as it is: told by a few bytes, without the libraries that read the other formats. */
export function isOnnxModel(path: string): boolean {
  const { file, name } = locate(path)
  const window = openWindow(file, name)
  try {
    return detectContainer(window) === 'onnx'
  } finally {
    closeSync(window.fd)
  }
}

/** The file to begin with: a model of TensorFlow.js may be given as its folder. */
export function locate(path: string): { file: string; name: string } {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  if (!isFolder) return { file: path, name: basename(path) }
  return { file: join(path, TFJS_FILE), name: `${basename(path)}/${TFJS_FILE}` }
}
