import { closeSync, existsSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { KERAS_FILE, TFJS_FILE } from '../../models/find-model.ts'
import { openWindow } from './file-window.ts'
import { detectContainer } from './model-format.ts'

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

/** The file to read first: in the folder of a TensorFlow.js model, its model.json; in one of Teachable Machine's, the Keras model. */
export function locate(path: string): { file: string; name: string } {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  if (!isFolder) return { file: path, name: basename(path) }
  const name =
    existsSync(join(path, TFJS_FILE)) || !existsSync(join(path, KERAS_FILE)) ? TFJS_FILE : KERAS_FILE
  return { file: join(path, name), name: `${basename(path)}/${name}` }
}
