/** What a figure is. public/status-text.js writes them the same way. */
export type FigureKind = 'rate' | 'count' | 'ms' | 'bytes' | 'part' | 'mean'

const NONE = '–'
const MEGABYTE = 1e6

/** A figure as people read it. */
export function figureText(figure: number | null | undefined, kind: FigureKind): string {
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

/** One place after the point where that says something. */
function short(figure: number): string {
  return figure >= 100 || Number.isInteger(figure) ? String(Math.round(figure)) : figure.toFixed(1)
}
