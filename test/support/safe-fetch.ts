import {
  createSafeFetch,
  type FetchLimits,
  type Resolve,
  type SafeFetch,
} from '../../lib/fetch/safe-fetch.ts'
import { type Behaviour, type RawServer, rawServer } from './raw-server.ts'

export const SENTENCE = 'The image at this address could not be downloaded.'

/** Resources that tests have left open, the newest first. */
export const cleanUp: (() => Promise<void>)[] = []

export async function tidy(): Promise<void> {
  for (const close of cleanUp.splice(0).reverse()) await close()
}

export async function serve(behaviour: Behaviour): Promise<RawServer> {
  const server = await rawServer(behaviour)
  cleanUp.push(server.close)
  return server
}

/** Every name resolves to 127.0.0.1, which is allowed for names of example.org. */
export function fetcher(
  port: number,
  limits: Partial<FetchLimits> = {},
  resolve: Resolve = async () => ['127.0.0.1'],
): SafeFetch {
  const safeFetch = createSafeFetch(
    {
      allowHosts: ['.example.org'],
      denyHosts: [],
      urlPorts: [port],
      fetchTimeoutMs: 5000,
      maxFetches: 4,
      maxFetchesPerHost: 2,
      maxBodyBytes: 2 ** 20,
      maxQueueBytes: 8 * 2 ** 20,
      ...limits,
    },
    resolve,
  )
  cleanUp.push(safeFetch.close)
  return safeFetch
}

export function never(): AbortSignal {
  return new AbortController().signal
}
