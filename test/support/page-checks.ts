import { expect } from 'chai'
import { barriers, expectNoFlaws, type Page, SCHEMES, screenshot, type Watched } from './browser.ts'

/** The most that a page may load, pictures and answers of models left out. */
const MAX_BYTES = 60 * 2 ** 10

/**
 * A page in light and dark: for all to use, within its window, with a silent console, and as a picture to look at.
 * `expected` fits a line of the console that belongs to the page.
 */
export async function expectGoodLooks(
  { page, complaints, strangers }: Watched,
  name: string,
  { fullPage = true, expected }: { fullPage?: boolean; expected?: RegExp } = {},
): Promise<void> {
  for (const scheme of SCHEMES) {
    // Without motion the colours change at once.
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    expect(await barriers(page, scheme === 'light' ? 'all' : 'colours'), scheme).to.deep.equal([])
    await screenshot(page, `${name}-${scheme}`, fullPage)
  }
  const others = complaints.filter((line) => expected?.test(line) !== true)
  await expectNoFlaws({ page, complaints: others, strangers })
}

/** Counts from now on what comes over the wire; what is returned waits for the page, and holds the sum to its limit. */
export function expectLittleWeight(page: Page): () => Promise<void> {
  const sizes: Promise<number>[] = []
  page.on('requestfinished', (request) => {
    if (request.resourceType() === 'image' || request.method() === 'POST') return
    const size = request
      .sizes()
      .then(({ responseBodySize, responseHeadersSize }) => responseBodySize + responseHeadersSize)
    sizes.push(size)
  })
  return async () => {
    await page.waitForLoadState('load')
    const sum = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
    expect(sum, 'bytes').to.be.within(1000, MAX_BYTES)
  }
}
