import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { sharedBetweenSuites } from './shared-service.ts'

export type { Page } from 'playwright-core'

/** Debian's packages. The first has no window to draw, and takes half the time. */
const PACKAGED = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium']
export const CHROMIUM =
  process.env.CHROMIUM_PATH ?? PACKAGED.find((path) => existsSync(path)) ?? '/usr/bin/chromium'
const SCREENSHOTS = fileURLToPath(new URL('../screenshots/', import.meta.url))
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

const FLAGS = [
  // Without the sandbox, which needs rights that containers seldom have. Only our own pages are opened.
  '--no-sandbox',
  // A fake camera with a test pattern, which pages may use without a question.
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
]

export const WIDTHS = [360, 1280] as const
export const SCHEMES = ['light', 'dark'] as const

export interface Watched {
  readonly page: Page
  /** the messages of the console, including violations of the Content-Security-Policy */
  readonly complaints: string[]
  /** requested URLs that are not the service's */
  readonly strangers: string[]
}

export interface Look {
  readonly width?: number
  readonly scheme?: 'light' | 'dark'
  readonly javaScript?: boolean
}

/** `describe` for tests that need Chromium. Without one, they are skipped, with the reason in the title. */
export function describeInBrowser(title: string, tests: (this: Mocha.Suite) => void): void {
  if (existsSync(CHROMIUM)) describe(title, tests)
  else
    describe.skip(
      `${title} (skipped: there is no Chromium at ${CHROMIUM}; CHROMIUM_PATH names another)`,
      tests,
    )
}

const sharedBrowser = sharedBetweenSuites(async () => {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
  return { browser, stop: () => browser.close() }
})

/**
 * A browser for the tests of a suite. The result opens a page, in a profile of its own that is closed after the test.
 */
export function browserOfSuite(): (look?: Look) => Promise<Watched> {
  const running = sharedBrowser()
  afterEach(() =>
    Promise.all(
      running()
        .browser.contexts()
        .map((context) => context.close()),
    ),
  )
  return async ({ width = 1280, scheme = 'light', javaScript = true } = {}) => {
    const { browser } = running()
    const options: BrowserContextOptions = {
      viewport: { width, height: 800 },
      colorScheme: scheme,
      javaScriptEnabled: javaScript,
      permissions: ['clipboard-read', 'clipboard-write'],
    }
    const context = await browser.newContext(options)
    context.setDefaultTimeout(20_000)
    return watch(await context.newPage())
  }
}

/** Also reports a page that is wider than its window. */
export async function expectNoFlaws({ page, complaints, strangers }: Watched): Promise<void> {
  expect(complaints, 'the console').to.deep.equal([])
  expect(strangers, 'requests to others').to.deep.equal([])
  const [inside, outside] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, innerWidth]',
  )
  expect(inside, 'the width of the page').to.be.at.most(outside)
}

/** axe-core's findings: the rule and the first element that breaks the rule. Dark mode is checked for colours only. */
export async function barriers(page: Page, which: 'all' | 'colours' = 'all'): Promise<string[]> {
  // In the middle of an animation, colours are not what they are before and after it.
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await page.evaluate(readFileSync(AXE, 'utf8'))
  const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
    which === 'all' ? 'axe.run()' : 'axe.run({ runOnly: ["color-contrast"] })',
  )
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
}

/** Screenshots for people, in a folder that git ignores. `SCREENSHOTS=1 npm test -- test/lib/pages` takes them. */
export async function screenshot(page: Page, name: string, fullPage = true): Promise<void> {
  if (!process.env.SCREENSHOTS) return
  mkdirSync(SCREENSHOTS, { recursive: true })
  await page.screenshot({ path: `${SCREENSHOTS}${name}.png`, fullPage, animations: 'disabled' })
}

function watch(page: Page): Watched {
  const complaints: string[] = []
  const strangers: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url())
    if (/^https?:$/.test(protocol) && hostname !== '127.0.0.1') strangers.push(request.url())
  })
  return { page, complaints, strangers }
}
