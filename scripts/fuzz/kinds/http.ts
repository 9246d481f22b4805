import { allReady } from '../../../test/support/service.ts'
import { startSurvivor } from '../../../test/support/survivor.ts'
import { http as httpFormat } from '../formats/http.ts'
import { httpSeeds } from './http-seeds.ts'
import { HttpTarget } from './http-target.ts'
import type { Kind } from './kind.ts'

export const HTTP_FORMATS = [httpFormat]
/** Short, so that an input that makes the service wait is answered soon. */
export const HTTP_SETTINGS = {
  BODY_TIMEOUT_MS: '1000',
  FETCH_TIMEOUT_MS: '1000',
  DEADLINE_MS: '15000',
  MAX_PIXELS: '4000000',
  MAX_CONNECTIONS: '500',
}

/** A connection that stays open keeps a batch of inputs waiting for 10 s. */
const PATIENCE = 1024

export const http: Kind = {
  formats: HTTP_FORMATS,
  async open() {
    const start = () => startSurvivor(HTTP_SETTINGS)
    const service = await start()
    await allReady(service)
    return { target: new HttpTarget(service, start, PATIENCE), seeds: await httpSeeds(service.url) }
  },
  extension: () => '.http',
}
