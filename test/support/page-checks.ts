import { expect } from 'chai'
import { barriers, expectNoFlaws, type Page, SCHEMES, screenshot, type Watched } from './browser.ts'

/** The limit for the bytes that a page loads, except pictures and answers of models. */
const MAX_BYTES = 60 * 2 ** 10

/**
 * Checks a page in light and dark: accessible, not wider than its window, no messages on the console. Also takes
 * screenshots. `expected` matches messages of the console that are allowed.
 */
export async function expectGoodLooks(
  { page, complaints, strangers }: Watched,
  name: string,
  { fullPage = true, expected }: { fullPage?: boolean; expected?: RegExp } = {},
): Promise<void> {
  for (const scheme of SCHEMES) {
    // Reduced motion: colours change at once, without a transition.
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    expect(await barriers(page, scheme === 'light' ? 'all' : 'colours'), scheme).to.deep.equal([])
    await screenshot(page, `${name}-${scheme}`, fullPage)
  }
  const others = complaints.filter((line) => expected?.test(line) !== true)
  await expectNoFlaws({ page, complaints: others, strangers })
}

/** Counts the bytes received from now on. The result waits for the page, and checks the sum against the limit. */
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
