const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** A number of bytes with a decimal unit (powers of 1000): 553467096 is 553 MB. */
export function byteWords(bytes: number): string {
  const step = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)))
  const value = bytes / 1000 ** step
  return `${value < 10 && step > 0 ? value.toFixed(1) : Math.floor(value)} ${UNITS[step]}`
}

export function timeWords(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 90) return `${whole} s`
  return whole < 5400 ? `${Math.round(whole / 60)} min` : `${Math.round(whole / 3600)} h`
}
