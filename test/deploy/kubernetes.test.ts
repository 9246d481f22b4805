import { expect } from 'chai'
import { callQueueName } from '../../fleet/topology.ts'
import { configOf, deployFiles, envFile, image, yaml, yamlDocuments } from '../support/deploy.ts'

interface Reference {
  name: string
  key?: string
}
interface Variable {
  name: string
  value?: string
  valueFrom?: { secretKeyRef?: Reference; fieldRef?: object; resourceFieldRef?: { resource: string } }
}
interface Probe {
  httpGet: { path: string; port: string }
  periodSeconds: number
  failureThreshold?: number
}
interface Container {
  name: string
  image: string
  args: string[]
  envFrom: { configMapRef?: Reference; secretRef?: Reference }[]
  env: Variable[]
  ports: { name: string; containerPort: number }[]
  startupProbe: Probe
  readinessProbe: Probe
  livenessProbe: Probe
  lifecycle?: { preStop: { exec: { command: string[] } } }
  resources: { requests: Record<string, string>; limits: Record<string, string> }
  securityContext: object
  volumeMounts: { name: string; mountPath: string }[]
}
interface Labels {
  matchLabels: Record<string, string>
}
interface Target {
  apiVersion: string
  kind: string
  name: string
}
interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; labels?: Record<string, string> }
  spec: {
    replicas?: number
    serviceName?: string
    maxUnavailable?: number
    selector: Labels & Record<string, string>
    podSelector: Labels
    template: {
      metadata: { labels: Record<string, string>; annotations: Record<string, string> }
      spec: {
        terminationGracePeriodSeconds: number
        securityContext: object
        containers: Container[]
        volumes: { name: string }[]
      }
    }
    volumeClaimTemplates?: { metadata: { name: string } }[]
    ports: { name: string; port: number; targetPort: string }[]
    scaleTargetRef: Target
    triggers: { metadata: Record<string, string>; authenticationRef: Reference }[]
    secretTargetRef: (Reference & { parameter: string })[]
    rabbitmq: { additionalConfig: string }
  }
}
interface Kustomization {
  namespace: string
  resources: string[]
  configMapGenerator: { name: string; envs: string[] }[]
  secretGenerator: { name: string; envs: string[] }[]
  images: { name: string }[]
}

/** What the RabbitMQ Cluster Operator writes into its secret NAME-default-user. */
const OPERATOR_KEYS = ['username', 'password', 'host', 'port', 'connection_string']
const API_VERSIONS: Record<string, string> = {
  Namespace: 'v1',
  Service: 'v1',
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  PodDisruptionBudget: 'policy/v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  NetworkPolicy: 'networking.k8s.io/v1',
  RabbitmqCluster: 'rabbitmq.com/v1beta1',
  ScaledObject: 'keda.sh/v1alpha1',
  TriggerAuthentication: 'keda.sh/v1alpha1',
}

describe('deploy/kubernetes', () => {
  const kustomization = yaml<Kustomization>('kubernetes/kustomization.yaml')
  const manifests = kustomization.resources.flatMap((file) => yamlDocuments<Manifest>(`kubernetes/${file}`))
  const of = (kind: string) => manifests.filter((manifest) => manifest.kind === kind)
  const named = (kind: string, name: string) => {
    const found = of(kind).find(({ metadata }) => metadata.name === name)
    if (found === undefined) throw new Error(`there is no ${kind} ${name}`)
    return found
  }
  const workloads = [named('Deployment', 'web'), named('StatefulSet', 'model')]
  const container = (workload: Manifest) => {
    const [only, ...others] = workload.spec.template.spec.containers
    if (only === undefined || others.length > 0) throw new Error('not one container')
    return only
  }
  const config = (workload: Manifest) => {
    const { args, env, envFrom } = container(workload)
    const shared = envFrom.flatMap(({ configMapRef, secretRef }) => {
      const [list, name] = configMapRef
        ? [kustomization.configMapGenerator, configMapRef.name]
        : [kustomization.secretGenerator, secretRef?.name]
      const [file = ''] = list.find((each) => each.name === name)?.envs ?? []
      return Object.entries(envFile(`kubernetes/${file.replace('secrets.env', 'secrets.env.example')}`))
    })
    const own = env.map(({ name, value, valueFrom }) => [name, value ?? valueInCluster(workload, valueFrom)])
    return configOf({
      name: workload.metadata.name,
      args,
      env: { ...image().env, ...Object.fromEntries(shared), ...Object.fromEntries(own) },
    })
  }

  it('lists every manifest, each of a known kind and version, and each once', () => {
    const files = deployFiles().filter((file) => /^kubernetes\/.*\.yaml$/.test(file))
    expect(files.map((file) => file.replace('kubernetes/', ''))).to.have.members([
      ...kustomization.resources,
      'kustomization.yaml',
    ])
    for (const { apiVersion, kind } of manifests)
      expect([kind, apiVersion]).to.deep.equal([kind, API_VERSIONS[kind]])
    const names = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`)
    expect(new Set(names).size).to.equal(names.length)
    named('Namespace', kustomization.namespace)
  })

  it('has selectors that match the labels of the pods', () => {
    for (const { spec } of workloads)
      expect(spec.template.metadata.labels).to.deep.equal(spec.selector.matchLabels)
    for (const kind of ['Service', 'PodDisruptionBudget'])
      for (const { metadata, spec } of of(kind)) {
        const pods = workloads.find((workload) => workload.metadata.name === metadata.name)
        const selector = kind === 'Service' ? spec.selector : spec.selector.matchLabels
        expect(selector, `${kind} ${metadata.name}`).to.deep.equal(pods?.spec.selector.matchLabels)
      }
    expect(named('NetworkPolicy', 'model').spec.podSelector).to.deep.equal(
      named('StatefulSet', 'model').spec.selector,
    )
  })

  it('refers only to ports, volumes, secrets and settings that are there', () => {
    const secrets = of('RabbitmqCluster').map(({ metadata }) => `${metadata.name}-default-user`)
    for (const workload of workloads) {
      const { env, envFrom, ports, volumeMounts, ...others } = container(workload)
      for (const probe of [others.startupProbe, others.readinessProbe, others.livenessProbe])
        expect(ports.map(({ name }) => name)).to.include(probe.httpGet.port)
      const volumes = [
        ...workload.spec.template.spec.volumes.map(({ name }) => name),
        ...(workload.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name),
      ]
      expect(volumeMounts.map(({ name }) => name)).to.have.members(volumes)
      const mounted = volumeMounts.map(({ mountPath }) => mountPath)
      expect(mounted).to.have.members([image().env.WEIGHTS_DIR, image().env.FEEDBACK_DIR, '/tmp'])
      for (const { valueFrom } of env) {
        if (valueFrom?.secretKeyRef === undefined) continue
        expect(secrets).to.include(valueFrom.secretKeyRef.name)
        expect(OPERATOR_KEYS).to.include(valueFrom.secretKeyRef.key)
      }
      const shared = [...kustomization.configMapGenerator, ...kustomization.secretGenerator].map(
        ({ name }) => name,
      )
      for (const { configMapRef, secretRef } of envFrom)
        expect(shared).to.include((configMapRef ?? secretRef)?.name)
    }
    for (const { spec } of of('Service'))
      for (const { targetPort } of spec.ports)
        expect(targetPort).to.equal(container(workloads[0] as Manifest).ports[0]?.name)
    for (const { spec } of of('TriggerAuthentication'))
      for (const { name, key } of spec.secretTargetRef) {
        expect(secrets).to.include(name)
        expect(OPERATOR_KEYS).to.include(key)
      }
    for (const { spec } of [...of('ScaledObject'), ...of('HorizontalPodAutoscaler')]) {
      const { apiVersion, kind, name } = spec.scaleTargetRef
      expect(named(kind, name).apiVersion).to.equal(apiVersion)
      // Two owners of the number would work against each other at each kubectl apply.
      expect(named(kind, name).spec).not.to.have.property('replicas')
    }
    named('Service', named('StatefulSet', 'model').spec.serviceName ?? '')
  })

  it('starts both roles with settings that are right, under a name that is the name of the pod', () => {
    expect(workloads.map((workload) => config(workload).role)).to.deep.equal(['web', 'model'])
    for (const workload of workloads) {
      const { port, queueType, hostName, drainTimeoutMs } = config(workload)
      expect(container(workload).ports.map(({ containerPort }) => containerPort)).to.deep.equal([port])
      expect(workload.spec.template.metadata.annotations['prometheus.io/port']).to.equal(String(port))
      expect([queueType, hostName]).to.deep.equal(['quorum', 'pod-name'])
      expect(kustomization.images.map(({ name }) => name)).to.include(container(workload).image)
      const [, wait = '0'] = container(workload).lifecycle?.preStop.exec.command ?? []
      expect(workload.spec.template.spec.terminationGracePeriodSeconds).to.be.at.least(
        Number(wait) + drainTimeoutMs / 1000 + 4,
      )
    }
  })

  it('lets a web host finish after proxies know that the host ends', () => {
    const { lifecycle, readinessProbe } = container(named('Deployment', 'web'))
    const [command, wait] = lifecycle?.preStop.exec.command ?? []
    expect(command).to.equal('sleep')
    expect(Number(wait)).to.be.at.least(readinessProbe.periodSeconds)
  })

  it('asks /readyz before a host counts as started or ready, and ends only hosts that do not answer at all', () => {
    const [web, model] = workloads.map(container)
    expect(web?.startupProbe.httpGet.path).to.equal('/readyz')
    expect(model?.readinessProbe.httpGet.path).to.equal('/readyz')
    for (const each of [web, model]) expect(each?.livenessProbe.httpGet.path).to.equal('/healthz')
  })

  it('runs as the user of the image, without rights and with bounds', () => {
    for (const workload of workloads) {
      const [, user] = image().instructions.find(([name]) => name === 'USER') ?? []
      const { securityContext } = workload.spec.template.spec
      expect(securityContext).to.deep.include({ runAsNonRoot: true, runAsUser: Number(user?.split(':')[0]) })
      expect(container(workload).securityContext).to.deep.equal({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      expect(container(workload).resources.limits).to.have.property('memory')
    }
    expect(config(named('StatefulSet', 'model')).threads).to.equal(
      Number(container(named('StatefulSet', 'model')).resources.limits.cpu),
    )
  })

  it('scales model hosts by the queue of each model, at what a host can hold', () => {
    const { spec } = named('ScaledObject', 'model')
    const { models, maxBatch, workers } = config(named('StatefulSet', 'model'))
    expect(spec.triggers.map(({ metadata }) => metadata.queueName)).to.deep.equal(
      models.map(({ name }) => callQueueName(name)),
    )
    for (const { metadata, authenticationRef } of spec.triggers) {
      expect(metadata).to.deep.include({
        protocol: 'http',
        mode: 'QueueLength',
        host: `http://rabbitmq.${kustomization.namespace}.svc:15672/`,
        value: String(2 * workers * maxBatch),
      })
      named('TriggerAuthentication', authenticationRef.name)
    }
  })

  it('has a RabbitMQ that takes messages as large as any image', () => {
    const { spec } = named('RabbitmqCluster', 'rabbitmq')
    const [, bytes] = /^max_message_size = (\d+)$/m.exec(spec.rabbitmq.additionalConfig) ?? []
    expect(Number(bytes)).to.be.greaterThan(config(named('Deployment', 'web')).maxBodyBytes + 100_000)
    expect(spec.replicas).to.equal(3)
  })
})

/** What the cluster puts in the place of a reference. */
function valueInCluster(workload: Manifest, from: Variable['valueFrom']): string | undefined {
  if (from?.secretKeyRef?.key === 'connection_string') return 'amqp://user:password@rabbitmq.tandem.svc:5672/'
  if (from?.fieldRef) return 'pod-name'
  const [, kind = '', name = ''] =
    /^(limits|requests)\.(\w+)$/.exec(from?.resourceFieldRef?.resource ?? '') ?? []
  const [only] = workload.spec.template.spec.containers
  return only?.resources[kind as 'limits' | 'requests'][name]
}
