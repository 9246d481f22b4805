/** Just enough HTML to look at our own pages: the tags are well-formed, and values stand in double quotes. */

/** The attributes of all tags of that name, in their order. */
export function tags(page: string, name: string): Record<string, string>[] {
  return [...page.matchAll(new RegExp(`<${name}(\\s[^>]*)?>`, 'g'))].map(([, attributes = '']) =>
    Object.fromEntries(
      [...attributes.matchAll(/([\w-]+)(?:="([^"]*)")?/g)].map(([, key = '', value = '']) => [
        key,
        decoded(value),
      ]),
    ),
  )
}

/** What a reader sees, tags gone and characters decoded. */
export function words(page: string): string {
  const body = page.slice(page.indexOf('<body'))
  return decoded(body.replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim()
}

function decoded(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
}
