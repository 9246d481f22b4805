/**
 * Sets the length of a bar to a share of 1.
 * @param {Element} svg
 * @param {number} share
 */
export function setBar(svg, share) {
  svg.querySelector('rect')?.setAttribute('width', (Math.min(1, Math.max(0, share)) * 100).toFixed(2))
}

/**
 * Divides a bar among the parts.
 * @param {Element} svg
 * @param {readonly number[]} parts
 */
export function setSplit(svg, parts) {
  const total = parts.reduce((sum, part) => sum + part, 0) || 1
  let from = 0
  for (const [at, rect] of [...svg.querySelectorAll('rect')].entries()) {
    const width = ((parts[at] ?? 0) / total) * 100
    rect.setAttribute('x', from.toFixed(2))
    rect.setAttribute('width', width.toFixed(2))
    from += width
  }
}
