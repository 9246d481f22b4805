const COMPILED = /^(StartService|commands|tandem|(broker|lib|pipeline)\/.+)\.ts$/

/** The URL of the compiled file; for a file that is not compiled, the URL itself. */
export function compiledFile(url, sources, built) {
  const path = url.startsWith(sources) ? url.slice(sources.length) : ''
  return COMPILED.test(path) ? built + path.replace(/ts$/, 'js') : url
}
