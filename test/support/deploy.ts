import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadAll, YAML11_SCHEMA } from 'js-yaml'
import { type Config, readConfig } from '../../lib/config/config.ts'
import { SETTINGS } from '../../lib/config/settings.ts'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
export const DEPLOY = join(ROOT, 'deploy')

/** How a deployment starts Tandem. */
export interface Start {
  readonly name: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** seconds from SIGTERM to SIGKILL */
  readonly stopSeconds: number
}

/** Names that are no settings of Tandem, but known to Node. */
const KNOWN_TO_NODE = ['NODE_EXTRA_CA_CERTS']

export function deployFile(path: string): string {
  return readFileSync(join(DEPLOY, path), 'utf8')
}

export function deployFiles(): string[] {
  return readdirSync(DEPLOY, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(DEPLOY.length + 1))
}

/** Kubernetes reads YAML 1.1, in which "on" is no text; Docker's merge keys are of YAML 1.1 too. */
export function yamlDocuments<T = Record<string, unknown>>(path: string): T[] {
  return loadAll(deployFile(path), { schema: YAML11_SCHEMA }) as T[]
}

export function yaml<T = Record<string, unknown>>(path: string): T {
  const [only, ...others] = yamlDocuments<T>(path)
  if (only === undefined || others.length > 0) throw new Error(`${path} has not exactly one document`)
  return only
}

/** Lines of NAME=value, as docker, kustomize and systemd read them. */
export function envFile(path: string): Record<string, string> {
  const lines = deployFile(path)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? []
      if (name === undefined || value === undefined) throw new Error(`${path} has the line ${line}`)
      return [name, value]
    }),
  )
}

/** What the service makes of the arguments and the environment. Throws if one of them is wrong or unknown. */
export function configOf({ name, args, env }: Pick<Start, 'name' | 'args' | 'env'>): Config {
  for (const [variable, value] of Object.entries(env)) {
    if (!isSetting(variable) && !KNOWN_TO_NODE.includes(variable))
      throw new Error(`${name} sets ${variable}, which is no setting.`)
    if (typeof value !== 'string') throw new Error(`${variable} of ${name} is no text, but ${value}.`)
  }
  return readConfig(args, env)
}

export function isSetting(variable: string): boolean {
  return Object.values(SETTINGS).some(({ env }) => env === variable)
}

/** The environment and the start command of the image. */
export function image(): { env: Record<string, string>; instructions: [name: string, rest: string][] } {
  const text = deployFile('Dockerfile')
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
  const instructions = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line): [string, string] => {
      const [, name = '', rest = ''] = /^([A-Z]+) +(.*)$/.exec(line) ?? []
      return [name, rest]
    })
  const variables = instructions.filter(([name]) => name === 'ENV').flatMap(([, rest]) => rest.split(/\s+/))
  const env = Object.fromEntries(variables.map((pair) => pair.split('=') as [string, string]))
  return { env, instructions }
}
