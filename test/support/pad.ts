import type { Page } from 'playwright-core'
import type { Point } from './digits.ts'

/** The position on the screen of a point of the pad; the point is relative to the pad's side. */
export async function placesOn(page: Page): Promise<(x: number, y: number) => { x: number; y: number }> {
  await page.locator('#pad').scrollIntoViewIfNeeded()
  const box = await page.locator('#pad').boundingBox()
  if (box === null) throw new Error('the pad cannot be seen')
  return (x, y) => ({ x: box.x + x * box.width, y: box.y + y * box.height })
}

/** Draws one stroke with the mouse. `meanwhile` runs after each line, with the button still down. */
export async function drawOn(
  page: Page,
  [from, ...to]: readonly Point[],
  meanwhile?: () => Promise<void>,
): Promise<void> {
  const place = await placesOn(page)
  const go = async ([x, y]: Point, steps: number) => {
    const at = place(x, y)
    await page.mouse.move(at.x, at.y, { steps })
  }
  if (from) await go(from, 1)
  await page.mouse.down()
  for (const point of to) {
    await go(point, 8)
    await meanwhile?.()
  }
  await page.mouse.up()
}

export function drawSeven(page: Page, meanwhile?: () => Promise<void>): Promise<void> {
  return drawOn(
    page,
    [
      [0.28, 0.24],
      [0.5, 0.23],
      [0.72, 0.22],
      [0.58, 0.5],
      [0.45, 0.82],
    ],
    meanwhile,
  )
}
