import type { Config } from '../config/config.ts'
import { HttpError } from '../http/errors.ts'
import { ask, type Fetched } from './ask.ts'
import type { HeldBytes } from './body.ts'
import { type CheckedAddresses, checkedAddresses } from './checked-addresses.ts'
import { dial } from './dial.ts'
import { DownloadSlots } from './download-slots.ts'
import { closing, notDownloaded, tooManyRedirects, tooSlow } from './failures.ts'
import { type HostRules, hostRules } from './host-rules.ts'
import { type ImageUrl, parseImageUrl } from './image-url.ts'
import { type Resolve, resolveByDns, resolveBySystem } from './resolve.ts'

export type { Resolve } from './resolve.ts'

export type FetchLimits = Pick<
  Config,
  | 'allowHosts'
  | 'denyHosts'
  | 'urlPorts'
  | 'fetchTimeoutMs'
  | 'maxFetches'
  | 'maxFetchesPerHost'
  | 'maxBodyBytes'
  | 'maxQueueBytes'
>

export interface SafeFetch {
  /** Downloads a URL that a client gave. Rejects with an HttpError, or with the reason of the signal. */
  (url: string, signal: AbortSignal): Promise<Buffer>
  /** Ends the running downloads; idempotent. */
  close(): Promise<void>
}

const MAX_REDIRECTS = 3
const LOOKUPS_PER_SLOT = 4

interface FetchParts {
  readonly limits: FetchLimits
  readonly rules: HostRules
  readonly slots: DownloadSlots
  readonly addressesOf: CheckedAddresses
  readonly memory: HeldBytes
}

/** Made once for the whole service, because some limits apply to all downloads together. */
export function createSafeFetch(limits: FetchLimits, resolver?: Resolve): SafeFetch {
  const rules = hostRules(limits.allowHosts, limits.denyHosts)
  const resolve: Resolve =
    resolver ??
    ((host, signal) => (rules.isAllowedName(host) ? resolveBySystem(host) : resolveByDns(host, signal)))
  const parts: FetchParts = {
    limits,
    rules,
    slots: new DownloadSlots(limits.maxFetches, limits.maxFetchesPerHost),
    addressesOf: checkedAddresses(rules, resolve, LOOKUPS_PER_SLOT * limits.maxFetches),
    memory: { maxBytes: limits.maxQueueBytes, heldBytes: 0 },
  }
  const running = new Set<AbortController>()
  let closed = false

  async function safeFetch(text: string, signal: AbortSignal): Promise<Buffer> {
    signal.throwIfAborted()
    if (closed) throw closing()
    const first = parseImageUrl(text, limits.urlPorts)
    const control = new AbortController()
    const onAbort = () => control.abort(signal.reason)
    const timer = setTimeout(
      () => control.abort(tooSlow('send the image', limits.fetchTimeoutMs)),
      limits.fetchTimeoutMs,
    )
    signal.addEventListener('abort', onAbort)
    running.add(control)
    try {
      return await download(first, parts, control.signal)
    } catch (error) {
      control.signal.throwIfAborted()
      throw error instanceof HttpError ? error : notDownloaded(error)
    } finally {
      running.delete(control)
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }

  async function close(): Promise<void> {
    closed = true
    for (const control of running) control.abort(closing())
  }

  return Object.assign(safeFetch, { close })
}

/** Every redirect is a new download: the URL is checked, the host is resolved, and the download waits for a slot. */
async function download(first: ImageUrl, parts: FetchParts, signal: AbortSignal): Promise<Buffer> {
  let place = first
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const answer = await parts.slots.run(place.host, signal, () => visit(place, parts, signal))
    if ('body' in answer) return answer.body
    place = next(answer.location, place, parts.limits)
  }
  throw tooManyRedirects(MAX_REDIRECTS)
}

async function visit(place: ImageUrl, parts: FetchParts, signal: AbortSignal): Promise<Fetched> {
  const addresses = await parts.addressesOf(place.host, signal)
  const mayReach = (address: string) => parts.rules.mayReach(place.host, address)
  const socket = await dial({ ...place, addresses, mayReach }, signal)
  const { maxBodyBytes } = parts.limits
  try {
    return await ask(place.url, socket, { maxBodyBytes, memory: parts.memory }, signal)
  } finally {
    socket.destroy()
  }
}

/** The client must not learn why a redirect is refused: the redirecting server may belong to the internal network. */
function next(location: string, from: ImageUrl, { urlPorts }: FetchLimits): ImageUrl {
  try {
    return parseImageUrl(location, urlPorts, from.url)
  } catch (error) {
    throw notDownloaded(error)
  }
}
