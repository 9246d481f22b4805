/** A file that comes with the package, by its path in there. A build lies one folder deeper than the sources. */
export function packagedFile(path: string): URL {
  return new URL(`${import.meta.url.endsWith('.ts') ? '../../' : '../../../'}${path}`, import.meta.url)
}
