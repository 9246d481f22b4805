/** How figures are written. Server and browser import this module, so that scripts never change the wording of a page. */

/** @typedef {'rate' | 'count' | 'ms' | 'bytes' | 'part' | 'mean'} FigureKind */

const NONE = '–'
const MEGABYTE = 1e6

/** @param {number} share of 1 */
export function percent(share) {
  const of100 = share * 100
  return of100 > 0 && of100 < 0.1 ? '< 0.1 %' : `${of100.toFixed(1)} %`
}

/**
 * How the numbers of a list of guesses are written: as percentages, unless one of them is no probability. Models that
 * answer with scores have numbers below 0 and above 1.
 * @param {readonly { readonly probability: number }[]} guesses
 * @returns {(value: number) => string}
 */
export function shareWriter(guesses) {
  const are = guesses.every(({ probability }) => probability >= 0 && probability <= 1.0001)
  return are ? percent : (value) => value.toFixed(3)
}

/** Features in a line: their shape and the first few numbers, since a model has thousands. */
const SHOWN_FEATURES = 12

/**
 * @param {readonly number[]} shape
 * @param {readonly number[]} features
 */
export function featureText(shape, features) {
  const numbers = features.slice(0, SHOWN_FEATURES).map((value) => value.toPrecision(4))
  const more = features.length > SHOWN_FEATURES ? ', …' : ''
  return `${shape.join(' × ')} numbers: ${numbers.join(', ')}${more}`
}

/** @param {number} ms */
export function milliseconds(ms) {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1).replace('.0', '')} MB`
}

/**
 * A figure of /status.
 * @param {number | null | undefined} figure
 * @param {FigureKind} kind
 */
export function figureText(figure, kind) {
  if (figure === null || figure === undefined) return NONE
  switch (kind) {
    case 'count':
      return String(Math.round(figure))
    case 'part':
      return `${Math.round(figure * 100)} %`
    case 'bytes':
      return figure >= 1000 * MEGABYTE
        ? `${(figure / (1000 * MEGABYTE)).toFixed(2)} GB`
        : `${short(figure / MEGABYTE)} MB`
    case 'ms':
      return figure >= 10_000 ? `${short(figure / 1000)} s` : `${short(figure)} ms`
    default:
      return short(figure)
  }
}

/**
 * With one decimal below 100, without one from 100 on.
 * @param {number} figure
 */
function short(figure) {
  return figure >= 100 || Number.isInteger(figure) ? String(Math.round(figure)) : figure.toFixed(1)
}
