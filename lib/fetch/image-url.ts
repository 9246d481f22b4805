import { badUrl } from './failures.ts'

/** What browsers and proxies take without trouble; an image has no use for more. */
const MAX_URL_LENGTH = 2048
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }
const LABELS = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/
const MAX_NAME_LENGTH = 253
/** With a port, and credentials to be refused by their own sentence. */
const MAX_AUTHORITY_LENGTH = 320

/** Where to ask for an image, with all that its text alone can tell checked. */
export interface ImageUrl {
  /** without a trailing dot, credentials and fragment */
  readonly url: URL
  /** the name in lower case, or the address without brackets */
  readonly host: string
  readonly port: number
}

export function parseImageUrl(text: string, urlPorts: readonly number[], base?: URL): ImageUrl {
  if (text.length > MAX_URL_LENGTH) {
    throw badUrl(
      `The address of an image must have at most ${MAX_URL_LENGTH} characters, but has ${text.length}.`,
    )
  }
  const url = parse(text, base)
  const standardPort = DEFAULT_PORTS[url.protocol]
  if (standardPort === undefined) {
    throw badUrl(
      `The address of an image must begin with http:// or https://, but begins with "${url.protocol}".`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw badUrl('The address of an image must hold no user name and no password.')
  }
  const port = url.port === '' ? standardPort : Number(url.port)
  if (!urlPorts.includes(port)) {
    throw badUrl(`The port in the address of an image must be one of ${urlPorts.join(', ')}, but is ${port}.`)
  }
  url.hash = ''
  return { url, host: hostOf(url), port }
}

/** What is before the path is looked at first: to parse a long name in other letters takes milliseconds. */
function parse(text: string, base: URL | undefined): URL {
  const [, authority = ''] = /^[a-z]*:?[\\/]{2,}([^\\/?#]*)/i.exec(text) ?? []
  if (authority.length > MAX_AUTHORITY_LENGTH) {
    throw badUrl(`The address of an image must name a host, but names one of ${authority.length} characters.`)
  }
  try {
    return new URL(text, base)
  } catch {
    throw badUrl(`The address of an image must be a URL, but is "${text}".`)
  }
}

/** "example.com." is "example.com": left in, the dot would slip past every list of names, and past a certificate. */
function hostOf(url: URL): string {
  if (url.hostname.startsWith('[')) return url.hostname.slice(1, -1)
  const host = url.hostname.replace(/\.$/, '')
  if (!LABELS.test(host) || host.length > MAX_NAME_LENGTH) {
    throw badUrl(`The address of an image must name a host, but names "${url.hostname}".`)
  }
  url.hostname = host
  return host
}
