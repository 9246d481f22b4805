/** A file of the package, by its path in the package. A built file lies one folder deeper than its source. */
export function packagedFile(path: string): URL {
  return new URL(`${import.meta.url.endsWith('.ts') ? '../../' : '../../../'}${path}`, import.meta.url)
}
