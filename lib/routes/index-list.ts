import type { Router } from '@koa/router'
import type { Classifier } from '../classifier.ts'
import type { RequestState } from '../state.ts'

/** `GET /`: what is served, for a person with curl. */
export function indexListRoutes(router: Router<RequestState>, { models }: Classifier): void {
  router.get('/', (ctx) => {
    ctx.body = {
      service: 'tandem',
      models: Object.fromEntries(models.map((model) => [model, `POST /${model}`])),
      health: ['GET /healthz', 'GET /readyz', 'GET /metrics'],
    }
  })
}
