import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { copyDigits } from './digit-folders.ts'
import { newFolder } from './feedback-folder.ts'
import { answer, rawServer } from './raw-server.ts'
import { allReady, type Service, startService } from './service.ts'
import { sharedBetweenSuites } from './shared-service.ts'
import { writeSmallMobilenet } from './small-mobilenet.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Labels that a user may write, and that must not become markup. */
export const HOSTILE_LABEL = `<script>alert("l'abel")</script> & "more"`

export interface SmallService extends Service {
  readonly feedbackDir: string
  /** Returns a URL that serves the bytes. */
  offer(bytes: Buffer | string, status?: string, headers?: readonly string[]): string
}

/**
 * Real models behind every dialect: `digits`, which is built in; `hostile`, the same network with labels that are
 * markup; and `small`, with the classes of ImageNet and weights by formula.
 */
export const smallService = sharedBetweenSuites(startSmallService)

async function startSmallService(): Promise<SmallService> {
  const folder = temporaryFolder()
  copyDigits(folder, 'hostile')
  writeFileSync(join(folder, 'hostile.json'), JSON.stringify({ labels: 'labels.txt', exif: false }))
  writeFileSync(
    join(folder, 'labels.txt'),
    Array.from({ length: 10 }, (_, i) => `${HOSTILE_LABEL} ${i}`).join('\n'),
  )
  const settings = { labels: 'imagenet', preprocessing: 'tf', interpolation: 'bilinear' }
  writeFileSync(join(folder, 'small.json'), JSON.stringify(settings))
  const models = [
    'digits',
    `hostile=${join(folder, 'hostile', 'model.json')}`,
    `small=${writeSmallMobilenet(join(folder, 'small'))}`,
  ]
  const offered: Buffer[] = []
  const images = await rawServer({
    request(socket, head) {
      const [, index = ''] = /^GET \/(\d+)/.exec(head) ?? []
      socket.end(offered[Number(index)] ?? answer('404 Not Found'))
    },
  })
  const feedbackDir = newFolder()
  const service = await startService({
    MODELS: models.join(','),
    // Without this, no dialect for photographs would use a network for digits.
    VGG_MODEL: 'digits',
    API_MODEL: 'digits',
    INFER_MODEL: 'digits',
    PREDICT_MODEL: 'digits',
    WEIGHTS_DIR: folder,
    DEVICE: 'cpu',
    FEEDBACK_DIR: feedbackDir,
    ALLOW_HOSTS: '127.0.0.1',
    URL_PORTS: String(images.port),
    // Three and a half hours from the time zone of the tests, so that they notice an answer in local time.
    TZ: 'America/St_Johns',
  })
  await allReady(service)
  return {
    ...service,
    feedbackDir,
    offer(bytes, status = '200 OK', headers = []) {
      const index = offered.push(answer(status, headers, Buffer.from(bytes))) - 1
      return `http://127.0.0.1:${images.port}/${index}`
    },
    async stop() {
      await images.close()
      return service.stop()
    },
  }
}
