export const NONE = '–'

/** Milliseconds as people read them: three figures, in seconds from one second on. */
export function durationText(ms: number | undefined): string {
  if (ms === undefined) return NONE
  if (ms >= 1000) return `${threeFigures(ms / 1000)} s`
  return `${threeFigures(ms)} ms`
}

export function rateText(perSecond: number): string {
  return `${threeFigures(perSecond)}/s`
}

export function countText(count: number): string {
  return count.toLocaleString('en-US')
}

export function percentText(share: number): string {
  return `${Math.round(share * 100)} %`
}

export function bytesText(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`
}

function threeFigures(value: number): string {
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
