import { STATUS_CODES } from 'node:http'
import { z } from 'zod'
import type { Content, Operation } from '../http/operation.ts'
import { isClosed } from '../middleware/require-key.ts'

export interface ApiDocument {
  readonly openapi: '3.1.0'
  readonly [field: string]: unknown
}

const OVERVIEW =
  'Image classification, in the form of Tandem and in the forms of several older services. Each form has its own ' +
  'error shape. Every answer has the header X-Request-Id; every error has its code in the header X-Error-Code. ' +
  'A request for a host name that the service does not have is answered with 421 ERR_HOST.'

/** Statuses that every POST can be answered with. */
const FAILURES_OF_WORK = [403, 429, 500] as const

/** The description of all registered operations, made from the schemas that validate them. */
export function apiDocument(
  operations: readonly Operation[],
  models: readonly string[],
  version: string,
): ApiDocument {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of operations) {
    for (const path of operation.paths) {
      const name = path.replace(/:(\w+)/g, '{$1}')
      paths[name] = {
        ...paths[name],
        [operation.method]: describe(operation, path, isClosed(operation.method, path, models)),
      }
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tandem',
      version,
      description: OVERVIEW,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    // Relative to the document, which may lie below the prefix of another program.
    servers: [{ url: '.' }],
    tags: [...new Set(operations.map(({ group }) => group))].map((name) => ({ name })),
    // The empty alternative means that no key is needed, which is so unless API_KEYS is set.
    security: [{}, { bearer: [] }, { apiKey: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
      },
    },
  }
}

function describe(operation: Operation, path: string, needsKey: boolean): Record<string, unknown> {
  const { method, group, summary, body, answers, errors, errorShape, example } = operation
  const error = { 'application/json': { schema: schemaOf(errorShape.schema) } }
  // A status that is also an answer is described as the answer, which is the more frequent case.
  const own = needsKey ? [...errors, 401] : errors
  const failures = new Set<number>(
    [...own, ...(method === 'post' ? FAILURES_OF_WORK : [])].filter((status) => !(status in answers)),
  )
  return {
    tags: [group],
    summary,
    operationId: `${method}${path.replace(/[^a-zA-Z0-9]+(.)?/g, (_, letter = '') => letter.toUpperCase())}`,
    ...(example !== undefined && { description: example }),
    parameters: [...pathParameters(path), ...queryParameters(operation.query)],
    ...(body && { requestBody: { content: contentOf(body, 'input') } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { means, content }]) => [
          status,
          { description: means, ...(content && { content: contentOf(content, 'output') }) },
        ]),
      ),
      ...Object.fromEntries(
        [...failures]
          .sort()
          .map((status) => [status, { description: STATUS_CODES[status] ?? '', content: error }]),
      ),
    },
  }
}

function contentOf(content: Content, io: 'input' | 'output'): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(content).map(([type, schema]) => [
      type,
      { schema: typeof schema === 'string' ? { type: 'string', description: schema } : schemaOf(schema, io) },
    ]),
  )
}

function pathParameters(path: string): unknown[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters(query: z.ZodType): unknown[] {
  const { properties = {} } = schemaOf(query, 'output') as {
    properties?: Record<string, Record<string, unknown>>
  }
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    ...(description !== undefined && { description }),
    schema,
  }))
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'output'): Record<string, unknown> {
  const { $schema, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return json
}
