const WIDTH = 24

/** `██████░░░░░░ 50 %`, of constant width. */
export function progressBar(fraction: number, width = WIDTH): string {
  const bounded = Math.min(1, Math.max(0, fraction))
  const full = Math.round(bounded * width)
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${String(Math.floor(bounded * 100)).padStart(3)} %`
}
