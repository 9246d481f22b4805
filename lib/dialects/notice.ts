import type { Context } from '../http/context.ts'

/** Flash messages, shown once after the redirect to /. */
const NOTICES = {
  'no-part': 'No file part',
  'no-file': 'No image selected for uploading',
  'not-allowed': 'Allowed image types are -> png, jpg, jpeg, gif',
} as const
export type Notice = keyof typeof NOTICES

const COOKIE = 'notice'
const KEPT_MS = 60_000

/** The cookie holds only a key of NOTICES: a text from a cookie could put anything onto the page. */
export function sendBack(ctx: Context, notice: Notice): void {
  ctx.cookies.set(COOKIE, notice, { maxAge: KEPT_MS, sameSite: 'lax', httpOnly: true })
  ctx.redirect('/')
}

/** The text of the flash message, if there is one. Removes the message. */
export function takeNotice(ctx: Context): string | undefined {
  const word = ctx.cookies.get(COOKIE)
  if (word === undefined) return undefined
  ctx.cookies.set(COOKIE, null)
  ctx.set('Cache-Control', 'no-store')
  return Object.hasOwn(NOTICES, word) ? NOTICES[word as Notice] : undefined
}
