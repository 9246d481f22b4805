import { join } from 'node:path'
import type { ServedModels } from './models.ts'
import type { PictureServer } from './picture-server.ts'

const DEADLINE_MS = 30_000
/** When a request counts as hung: slow clients need some time themselves, in addition to the deadline. */
export const HUNG_AFTER_MS = DEADLINE_MS + 15_000

/** The bounds of caches are low, so that memory is as full as it may be soon after the start. */
export function serviceSettings(
  { list, photo, digit }: ServedModels,
  isOwn: boolean,
  folder: string,
  pictures: PictureServer,
): Record<string, string> {
  return {
    MODELS: list,
    VGG_MODEL: photo,
    API_MODEL: photo,
    INFER_MODEL: photo,
    PREDICT_MODEL: photo,
    DIGITS_MODEL: digit,
    // The user's own models may have to be downloaded, and stay where they are.
    ...(!isOwn && { WEIGHTS_DIR: folder }),
    FEEDBACK_DIR: join(folder, 'feedback'),
    DEVICE: 'cpu',
    WORKERS: '2',
    DEADLINE_MS: String(DEADLINE_MS),
    CACHE_ENTRIES: '200',
    // A child that is renewed in the middle of the test would be no kill.
    TUNING_MS: '0',
    UPLOAD_MAX_BYTES: '4mb',
    ALLOW_HOSTS: '127.0.0.1',
    URL_PORTS: `80,${pictures.port}`,
  }
}
