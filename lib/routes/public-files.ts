import { HttpError } from '../http/errors.ts'
import { PUBLIC_FILES } from '../pages/public-files.ts'
import type { Service } from '../service.ts'

const FOREVER = 'public, max-age=31536000, immutable'

/**
 * `/public/<version>/<file>`: the scripts and styles of pages. The version comes before the file name, so that a script
 * that imports `./name.js` gets the same version. A path with another version, or without one, gets the current file
 * with no-cache. The route is not part of the API and has no description.
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
