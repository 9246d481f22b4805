import { OWN_ERROR } from '../http/dialect.ts'
import { NoQuery, type Operation, serve } from '../http/operation.ts'
import { noUpload } from '../image/recent-images.ts'
import type { Service } from '../service.ts'

const stored = {
  method: 'get',
  paths: ['/uploads/:file'],
  group: 'Image classifier',
  summary: 'An uploaded image, while the service keeps it',
  query: NoQuery,
  answers: { 200: { means: 'The image.', content: { 'image/*': 'Its bytes.' } } },
  errors: [404],
  errorShape: OWN_ERROR,
} as const satisfies Operation

/** The images that pages show again. */
export function uploadRoutes(service: Service): void {
  const { config, recentImages } = service
  serve(service, stored, (ctx) => {
    const image = recentImages.get(String(ctx.params.file))
    if (image === undefined) throw noUpload(config.uploadTtlMs)
    ctx.set('Cache-Control', `private, max-age=${Math.floor(config.uploadTtlMs / 1000)}, immutable`)
    ctx.body = Buffer.from(image.bytes.buffer, image.bytes.byteOffset, image.bytes.byteLength)
    ctx.type = image.type
  })
}
