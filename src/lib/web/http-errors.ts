import type {FastifyReply} from 'fastify'
import type {Logger} from '../core/context.ts'
import {CoinpipeError, InvalidInputError} from '../core/errors.ts'
import {NoSuchPathError, StoreUnavailableError, TooManyClientsError, UnknownMarketError} from './errors.ts'
import type {ErrorAnswer} from './wire.ts'

/** Answers an error, told apart by class: the caller's mistakes are 4xx, the store's absence 503, anything unexpected a bug that is logged. */
export function sendError(error: unknown, reply: FastifyReply, logger: Logger): FastifyReply {
  const status = statusOf(error)
  if (status === 500) logger.error({error}, 'a request failed')
  const afterMs = error instanceof CoinpipeError && error.retry.kind === 'later' ? error.retry.afterMs : undefined
  if (afterMs !== undefined) reply.header('retry-after', String(Math.ceil(afterMs / 1000)))
  return reply.code(status).send(body(error, status))
}

function statusOf(error: unknown): number {
  if (error instanceof InvalidInputError) return 400
  if (error instanceof UnknownMarketError || error instanceof NoSuchPathError) return 404
  if (error instanceof StoreUnavailableError || error instanceof TooManyClientsError) return 503
  return isHttpError(error) && error.statusCode < 500 ? error.statusCode : 500
}

/** What fastify refuses by itself: a body, a method, headers that are too long. */
function isHttpError(error: unknown): error is Error & {readonly statusCode: number; readonly code: string} {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
}

function body(error: unknown, status: number): ErrorAnswer {
  if (error instanceof CoinpipeError && status !== 500) return answer(error.code, error.message, error.remedy)
  if (isHttpError(error) && status !== 500) return answer(error.code, error.message)
  return answer('COINPIPE_BUG', 'the server failed on this request; its log says why')
}

function answer(code: string, message: string, remedy: readonly string[] = []): ErrorAnswer {
  return {error: {code, message, remedy}}
}
