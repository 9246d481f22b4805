// Hooks for `import`, on the thread of Node's loader.
import { compiledFile } from './compiled-file.mjs'

let folders

export function initialize(data) {
  folders = data
}

export async function resolve(specifier, context, nextResolve) {
  const found = await nextResolve(specifier, context)
  const url = compiledFile(found.url, folders.sources, folders.built)
  return url === found.url ? found : { ...found, url, format: 'module' }
}
