import { HttpError } from '../http/errors.ts'
import { PUBLIC_FILES } from '../pages/public-files.ts'
import type { Service } from '../service.ts'

const FOREVER = 'public, max-age=31536000, immutable'

/**
 * `/public/<version>/<file>`: what pages are made of. The version stands before the name, so that the modules which a
 * script imports by `./name.js` belong to the same version. Under another one, or none, comes what there is now, to be
 * asked for again each time. It is no part of the API, and not described as such.
 */
export function publicFileRoutes({ router }: Service): void {
  router.get(/^\/public\/(?:([\w-]{12})\/)?(.+)$/, async (ctx) => {
    const [version, name = ''] = ctx.captures ?? []
    const file = PUBLIC_FILES.get(name)
    if (file === undefined) throw new HttpError('ERR_NOT_FOUND', `Nothing is served at ${ctx.state.path}.`)
    ctx.set('Cache-Control', version === PUBLIC_FILES.version ? FOREVER : 'no-cache')
    await file.content.send(ctx, file.type)
  })
}
