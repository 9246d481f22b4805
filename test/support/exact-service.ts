import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Script } from '../fixtures/pipelines/scripted.ts'
import { answer, rawServer } from './raw-server.ts'
import { allReady, fixture, type Service, startService } from './service.ts'
import { sharedBetweenSuites } from './shared-service.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface Guess {
  readonly index: number
  readonly label: string
  readonly name: string
  readonly full: string
  readonly wnid?: string
  readonly probability: number
}

/** The nearest float32, since models answer with float32. */
const f32 = Math.fround

const eskimoDog = guess(248, 'Eskimo dog, husky', 'n02109961', f32(0.93456))

export const HUSKY: readonly Guess[] = [
  eskimoDog,
  guess(282, 'tiger cat', 'n02123159', 0.32500001788139343),
  guess(134, 'crane', 'n02012849', f32(0.1)),
  guess(517, 'crane', 'n03126707', f32(1.3920588e-8)),
  guess(639, 'maillot, tank suit', 'n03710721', 0),
]

/** The second number is exactly the threshold, the first one is just above. */
export const PANDA: readonly Guess[] = [
  guess(
    388,
    'giant panda, panda, panda bear, coon bear, Ailuropoda melanoleuca',
    'n02510455',
    f32(0.50000006),
  ),
  guess(387, 'lesser panda, red panda, panda, bear cat, cat bear, Ailurus fulgens', 'n02509815', 0.5),
  guess(294, 'brown bear, bruin, Ursus arctos', 'n02132136', 0.25),
]

export const FOUR: readonly Guess[] = [
  digit(4, 1),
  digit(9, f32(0.0001)),
  digit(0, f32(1.3920588e-8)),
  digit(7, f32(1e-45)),
  ...[1, 2, 3, 5, 6, 8].map((value) => digit(value, 0)),
]

/** A pipeline with fixed answers: numbers of full precision, ties and markup. */
const MODELS: Readonly<Record<string, Script>> = {
  husky: { answer: HUSKY },
  panda: { answer: PANDA },
  four: { answer: FOUR },
  odd: { answer: 'neither a list nor a guess' },
}

export interface ExactService extends Service {
  /** a URL that leads to a file; the pipeline ignores the content */
  readonly imageUrl: string
}

export const exactService = sharedBetweenSuites(startExactService)

async function startExactService(): Promise<ExactService> {
  const images = await rawServer({ request: (socket) => socket.end(answer('200 OK', [], 'a file')) })
  const service = await startService({
    ...scriptedModels(MODELS),
    VGG_MODEL: 'husky',
    API_MODEL: 'husky',
    PREDICT_MODEL: 'husky',
    INFER_MODEL: 'panda',
    DIGITS_MODEL: 'four',
    ALLOW_HOSTS: '127.0.0.1',
    URL_PORTS: String(images.port),
  })
  await allReady(service)
  return {
    ...service,
    imageUrl: `http://127.0.0.1:${images.port}/file`,
    async stop() {
      await images.close()
      return service.stop()
    },
  }
}

/** The environment of a service whose models follow scripts. */
export function scriptedModels(scripts: Readonly<Record<string, Script>>): Record<string, string> {
  const folder = temporaryFolder()
  const entries = Object.entries(scripts).map(([name, script]) => {
    const path = join(folder, `${name}.json`)
    writeFileSync(path, JSON.stringify(script))
    return `${name}=${path}`
  })
  return { PIPELINE: fixture('scripted.ts'), MODELS: entries.join(',') }
}

function guess(index: number, full: string, wnid: string, probability: number): Guess {
  const [label = ''] = full.split(', ')
  return { index, label, name: label.replaceAll(' ', '_'), full, wnid, probability }
}

function digit(index: number, probability: number): Guess {
  const name = String(index)
  return { index, label: name, name, full: name, probability }
}
