import {WebSocket} from 'ws'
import {AbortedError, type CoinpipeError} from '../../core/errors.ts'
import {isTlsFailure} from '../../core/tls-failure.ts'
import {FeedDnsError, FeedRefusedError, FeedTlsError, FeedUnreachableError} from './errors.ts'

/** Larger frames close the connection; decoders refuse theirs from some MiB on. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024

const DNS_CODES = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA'])

/**
 * Opens a websocket: without compression and without an Origin header, frames unchecked for UTF-8 (the decoder does that). Rejects with a typed error
 * that says what was seen, after `timeoutMs` at the latest, or with AbortedError. `onOpen` gets the socket in the tick in which it opens, so that its
 * listeners miss nothing.
 */
export function openSocket(url: string, timeoutMs: number, signal: AbortSignal, onOpen: (socket: WebSocket) => void): Promise<void> {
  if (signal.aborted) return Promise.reject(new AbortedError())
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, {perMessageDeflate: false, skipUTF8Validation: true, maxPayload: MAX_FRAME_BYTES})
    const fail = (error: CoinpipeError) => {
      settle()
      // Terminating an unopened socket emits an error, which has been told already.
      socket.on('error', () => undefined)
      socket.terminate()
      reject(error)
    }
    const onAbort = () => fail(new AbortedError())
    const timer = setTimeout(() => fail(new FeedUnreachableError(url, {seen: `no answer in ${timeoutMs / 1000} s`})), timeoutMs)
    const settle = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.removeAllListeners()
    }
    signal.addEventListener('abort', onAbort, {once: true})
    socket.once('open', () => {
      settle()
      onOpen(socket)
      resolve()
    })
    socket.once('unexpected-response', (_request, response) => fail(new FeedRefusedError(url, response.statusCode ?? 0)))
    socket.once('error', (error) => fail(connectError(url, error)))
  })
}

/** The error of a connection attempt, by its code. */
export function connectError(url: string, error: Error & {readonly code?: unknown}): CoinpipeError {
  const code = typeof error.code === 'string' ? error.code : ''
  const details = {cause: error, seen: code === '' ? error.message : `${code}, ${error.message}`}
  if (DNS_CODES.has(code)) return new FeedDnsError(url, details)
  if (isTlsFailure(code)) return new FeedTlsError(url, details)
  return new FeedUnreachableError(url, details)
}
