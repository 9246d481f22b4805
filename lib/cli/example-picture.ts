import { fileURLToPath } from 'node:url'

/** A photograph of the package. A built file lies one folder deeper than its source. */
export function examplePicture(): string {
  const root = import.meta.url.endsWith('.ts') ? '../../' : '../../../'
  return fileURLToPath(new URL(`${root}public/examples/cat.jpg`, import.meta.url))
}
