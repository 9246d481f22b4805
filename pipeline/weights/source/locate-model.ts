import { closeSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { openWindow } from './file-window.ts'
import { detectContainer } from './model-format.ts'

const TFJS_FILE = 'model.json'

/** Whether a file is ONNX, from a few bytes, without loading the libraries that read the other formats. */
export function isOnnxModel(path: string): boolean {
  const { file, name } = locate(path)
  const window = openWindow(file, name)
  try {
    return detectContainer(window) === 'onnx'
  } finally {
    closeSync(window.fd)
  }
}

/** The file to read first: for the folder of a TensorFlow.js model, its model.json. */
export function locate(path: string): { file: string; name: string } {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  if (!isFolder) return { file: path, name: basename(path) }
  return { file: join(path, TFJS_FILE), name: `${basename(path)}/${TFJS_FILE}` }
}
