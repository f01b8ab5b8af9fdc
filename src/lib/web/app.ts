import type {AddressInfo} from 'node:net'
import {type FastifyInstance, fastify} from 'fastify'
import type {Logger, Metrics} from '../core/context.ts'
import {CannotListenError, NoSuchPathError} from './errors.ts'
import {sendError} from './http-errors.ts'
import {securityHeaders} from './security.ts'

/** No request has a body, and a browser's headers are short. */
const LIMITS = {bodyLimit: 1_024, connectionTimeout: 0, requestTimeout: 10_000, keepAliveTimeout: 30_000, http: {maxHeaderSize: 16_384}}

/** A server without paths yet: limits, headers, errors and the count of its requests. */
export function createApp(metrics: Metrics, logger: Logger): FastifyInstance {
  const requests = metrics.counter('coinpipe_http_requests_total')
  const app = fastify({
    ...LIMITS,
    logger: false,
    forceCloseConnections: true,
    // A path that can't be decoded never reaches the hooks and handlers below.
    frameworkErrors: (error, _request, reply) => void sendError(error, reply.headers(securityHeaders), logger),
  })
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(securityHeaders)
  })
  app.addHook('onResponse', async (request, reply) => {
    requests.add(1, {route: request.routeOptions.url ?? 'unknown', status: `${Math.floor(reply.statusCode / 100)}xx`})
  })
  app.setNotFoundHandler((request) => {
    throw new NoSuchPathError(request.method, request.url)
  })
  app.setErrorHandler((error, _request, reply) => sendError(error, reply, logger))
  return app
}

export interface Address {
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
  /** What the flags of the address begin with, for the remedy of an error: `metrics-` for `--metrics-port`. */
  readonly flagPrefix?: string
}

/** Where the server can be reached, for people. Rejects with CannotListenError where the address can't be had. */
export async function listen(app: FastifyInstance, {host, port, flagPrefix}: Address): Promise<string> {
  try {
    await app.listen({host, port})
  } catch (error) {
    throw new CannotListenError(host, port, error as NodeJS.ErrnoException, flagPrefix)
  }
  const {address, family, port: bound} = app.server.address() as AddressInfo
  const name = address === '0.0.0.0' || address === '::' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address
  return `http://${name}:${bound}/`
}
