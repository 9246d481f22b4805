import { type Html, html } from './html.ts'

/** A share of 1 as a bar. The width is an SVG attribute, because pages have no inline styles. */
export function bar(share: number): Html {
  const width = (Math.min(1, Math.max(0, share)) * 100).toFixed(2)
  return html`<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect width="${width}" height="1"/></svg>`
}

/** A bar that is divided among the parts. */
export function splitBar(parts: readonly number[]): Html {
  const total = parts.reduce((sum, part) => sum + part, 0) || 1
  let from = 0
  const rects = parts.map((part) => {
    const width = (part / total) * 100
    from += width
    return html`<rect x="${(from - width).toFixed(2)}" width="${width.toFixed(2)}" height="1"/>`
  })
  return html`<svg class="bar split" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">${rects}</svg>`
}
