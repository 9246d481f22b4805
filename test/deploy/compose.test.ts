import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { configOf, DEPLOY, deployFile, image, isSetting, yaml } from '../support/deploy.ts'

interface ComposeService {
  image?: string
  build?: { context: string; dockerfile: string; target?: string }
  command?: string[]
  environment?: Record<string, string>
  ports?: string[]
  volumes?: string[]
  networks?: string[]
  depends_on?: string[] | Record<string, { condition: string }>
  healthcheck?: { test: string[] }
  restart?: string
  stop_grace_period?: string
  mem_limit?: string
  cpus?: number
}
interface Compose {
  services: Record<string, ComposeService>
  volumes?: Record<string, unknown>
  networks?: Record<string, unknown>
}

const FILES = ['docker-compose.yml', 'docker-compose.production.yml']
const SECRET = 'a-secret-of-more-than-16-characters'

for (const file of FILES) {
  describe(`deploy/${file}`, () => {
    const { services, volumes = {}, networks = {} } = yaml<Compose>(file)
    const tandem = Object.entries(services).filter(([, service]) => service.image === 'tandem')

    it('starts Tandem with settings that are right, and time enough to finish', () => {
      expect(tandem).not.to.have.length(0)
      for (const [name, service] of tandem) {
        const config = configOf({ name, args: service.command ?? [], env: environment(service) })
        expect(seconds(service.stop_grace_period), name).to.be.at.least(config.drainTimeoutMs / 1000 + 4)
        // The port of the health check in the image, and of the other files.
        expect(config.port).to.equal(Number(image().env.PORT))
        expect(service.build?.target).to.equal(undefined)
        expect(
          existsSync(join(DEPLOY, service.build?.context ?? '', service.build?.dockerfile ?? '')),
        ).to.equal(true)
      }
    })

    it('refers only to services, volumes, networks and files that are there', () => {
      for (const [name, service] of Object.entries(services)) {
        const needed = Array.isArray(service.depends_on)
          ? service.depends_on
          : Object.keys(service.depends_on ?? {})
        expect(services, name).to.include.all.keys(...needed, name)
        for (const network of service.networks ?? []) expect(networks).to.have.property(network)
        for (const volume of service.volumes ?? []) {
          const [source = '', target = ''] = volume.split(':')
          expect(target).to.match(/^\//)
          // The folder of certificates is the user's, and not in the repository.
          if (source === './tls') continue
          if (source.startsWith('./')) expect(existsSync(join(DEPLOY, source)), source).to.equal(true)
          else expect(volumes).to.have.property(source)
        }
      }
    })

    it('keeps weights and feedback in volumes, at the places of the image', () => {
      const places = [image().env.WEIGHTS_DIR, image().env.FEEDBACK_DIR]
      const targets = tandem
        .flatMap(([, service]) => service.volumes ?? [])
        .map((volume) => volume.split(':')[1])
      expect(targets).to.have.members(places)
    })
  })
}

describe('deploy/docker-compose.yml', () => {
  it('has one Tandem, on port 8080 of this machine alone', () => {
    const { services } = yaml<Compose>('docker-compose.yml')
    expect(Object.keys(services)).to.deep.equal(['tandem'])
    expect(services.tandem?.ports).to.deep.equal([`127.0.0.1:8080:${image().env.PORT}`])
  })
})

describe('deploy/docker-compose.production.yml', () => {
  const { services } = yaml<Compose>('docker-compose.production.yml')
  const config = (name: string) => {
    const { command = [], ...service } = services[name] ?? {}
    return configOf({ name, args: command, env: environment(service) })
  }

  it('has both roles, with the same models, queues and addresses, which are the nodes of RabbitMQ', () => {
    expect([config('web').role, config('model').role]).to.deep.equal(['web', 'model'])
    for (const name of ['models', 'queueType', 'amqpUrl', 'deadlineMs', 'maxQueue', 'maxQueueBytes'] as const)
      expect(config('web')[name]).to.deep.equal(config('model')[name])
    const nodes = Object.keys(services).filter((name) => name.startsWith('rabbitmq'))
    expect(nodes).to.have.length(3)
    expect(config('web').queueType).to.equal('quorum')
    expect(config('web').amqpUrl.map((address) => new URL(address).hostname)).to.deep.equal(nodes)
    expect(config('web').amqpUrl.map((address) => new URL(address).username)).to.deep.equal(
      nodes.map((node) => services[node]?.environment?.RABBITMQ_DEFAULT_USER),
    )
  })

  it('has a cluster of the nodes, which take messages as large as any image', () => {
    const text = deployFile('rabbitmq/rabbitmq.conf')
    const listed = [...text.matchAll(/nodes\.\d = rabbit@(\S+)/g)].map(([, node]) => node)
    const nodes = Object.entries(services).filter(([, { image }]) => image?.startsWith('rabbitmq:'))
    expect(nodes.map(([name]) => name)).to.deep.equal(listed)
    for (const [name, service] of nodes) {
      expect((service as { hostname?: string }).hostname).to.equal(name)
      expect(service.volumes).to.include(`${name}:/var/lib/rabbitmq`)
    }
    const [, bytes] = /^max_message_size = (\d+)$/m.exec(text) ?? []
    expect(Number(bytes)).to.be.greaterThan(config('web').maxBodyBytes + 100_000)
  })

  it('publishes the ports of nginx alone, and lets the web hosts trust exactly one proxy', () => {
    const published = Object.entries(services).flatMap(([name, { ports = [] }]) =>
      ports.map((port) => [name, port]),
    )
    expect(published).to.deep.equal([
      ['nginx', '80:80'],
      ['nginx', '443:443'],
    ])
    expect([config('web').trustProxy, config('model').trustProxy]).to.deep.equal([1, 0])
    expect(deployFile('nginx/upstream.compose.conf')).to.contain(`server web:${config('web').port} resolve`)
  })

  it('checks the health of each service, restarts it, and bounds its memory', () => {
    for (const [name, service] of Object.entries(services)) {
      expect(service.restart, name).to.equal('always')
      expect(service.mem_limit, name).to.match(/^\d+[mg]$/)
      // The image of Tandem has a health check of its own.
      if (service.image !== 'tandem') expect(service.healthcheck?.test[0], name).to.equal('CMD')
    }
    expect(config('model').threads).to.equal(services.model?.cpus)
  })

  it('names in its variables only settings and the secrets of RabbitMQ, and has no secret itself', () => {
    const text = deployFile('docker-compose.production.yml')
    const variables = [...text.matchAll(/\$\{([A-Z_]+)/g)].map(([, name = '']) => name)
    const others = [...new Set(variables)].filter((name) => !isSetting(name))
    expect(others).to.have.members(['RABBITMQ_PASSWORD', 'RABBITMQ_COOKIE'])
    for (const name of [...others, 'SIGNING_KEYS'])
      expect(text).not.to.match(new RegExp(`\\{${name}\\}|\\{${name}:-`))
    expect(readFileSync(join(DEPLOY, '../.gitignore'), 'utf8')).to.match(/^\/deploy\/\.env$/m)
  })
})

/** The environment of the image, and above it that of the service, with a value for each secret. */
function environment({ environment: own = {} }: ComposeService): Record<string, string> {
  const filled = Object.entries(own).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string'
      ? value.replace(/\$\{[A-Z_]+:(\?|-([^}]*))\}/g, (_all, kind: string, fallback: string) =>
          kind === '?' ? SECRET : fallback,
        )
      : value,
  ])
  return { ...image().env, ...Object.fromEntries(filled) }
}

function seconds(text = ''): number {
  return Number(/^(\d+)s$/.exec(text)?.[1])
}
