const NONE = '–'
const MEGABYTE = 1e6

/** A figure as people read it; lib/status/figure-text.ts writes them the same way. */
export function figureText(figure, kind) {
  if (figure === null || figure === undefined) return NONE
  if (kind === 'count') return String(Math.round(figure))
  if (kind === 'part') return `${Math.round(figure * 100)} %`
  if (kind === 'bytes') {
    const gigabytes = figure / (1000 * MEGABYTE)
    return gigabytes >= 1 ? `${gigabytes.toFixed(2)} GB` : `${short(figure / MEGABYTE)} MB`
  }
  if (kind === 'ms') return figure >= 10_000 ? `${short(figure / 1000)} s` : `${short(figure)} ms`
  return short(figure)
}

export function clockText(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
  })
}

/** One place after the point where that says something. */
function short(figure) {
  return figure >= 100 || Number.isInteger(figure) ? String(Math.round(figure)) : figure.toFixed(1)
}
