import { badUrl } from './failures.ts'

/** Browsers and proxies accept URLs of this length everywhere; an image needs no longer one. */
const MAX_URL_LENGTH = 2048
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }
const LABELS = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/
const MAX_NAME_LENGTH = 253
/** Room for a name, a port, and credentials, which are refused with a message of their own. */
const MAX_AUTHORITY_LENGTH = 320

/** An image URL that has passed every check that needs no network. */
export interface ImageUrl {
  /** without a trailing dot, credentials and fragment */
  readonly url: URL
  /** the name in lower case, or the address without brackets */
  readonly host: string
  readonly port: number
}

export function parseImageUrl(text: string, urlPorts: readonly number[], base?: URL): ImageUrl {
  if (text.length > MAX_URL_LENGTH) {
    throw badUrl(`The image URL must have at most ${MAX_URL_LENGTH} characters, but has ${text.length}.`)
  }
  const url = parse(text, base)
  const standardPort = DEFAULT_PORTS[url.protocol]
  if (standardPort === undefined) {
    throw badUrl(`The image URL must begin with http:// or https://, but begins with "${url.protocol}".`)
  }
  if (url.username !== '' || url.password !== '') {
    throw badUrl('The image URL must contain no user name and no password.')
  }
  const port = url.port === '' ? standardPort : Number(url.port)
  if (!urlPorts.includes(port)) {
    throw badUrl(`The port in the image URL must be one of ${urlPorts.join(', ')}, but is ${port}.`)
  }
  url.hash = ''
  return { url, host: hostOf(url), port }
}

/** The length before the path is checked first: parsing a long name in non-Latin letters takes milliseconds. */
function parse(text: string, base: URL | undefined): URL {
  const [, authority = ''] = /^[a-z]*:?[\\/]{2,}([^\\/?#]*)/i.exec(text) ?? []
  if (authority.length > MAX_AUTHORITY_LENGTH) {
    const length = `${authority.length} characters, more than ${MAX_AUTHORITY_LENGTH}`
    throw badUrl(`The image URL must name a host, but names one of ${length}.`)
  }
  try {
    return new URL(text, base)
  } catch {
    throw badUrl(`The address of the image must be a URL, but is "${text}".`)
  }
}

/** "example.com." means "example.com": with the dot, it would match no entry of a list and no certificate. */
function hostOf(url: URL): string {
  if (url.hostname.startsWith('[')) return url.hostname.slice(1, -1)
  const host = url.hostname.replace(/\.$/, '')
  if (!LABELS.test(host) || host.length > MAX_NAME_LENGTH) {
    throw badUrl(`The image URL must name a host, but names "${url.hostname}".`)
  }
  url.hostname = host
  return host
}
