import {connect} from 'node:net'
import {DeadlineError} from '../core/errors.ts'

/** Sends a request and takes `bytes` of the answer, or what there is of it until the other side closes. Rejects with DeadlineError, or where nobody listens. */
export async function exchange(
  address: {readonly host: string; readonly port: number},
  request: Buffer,
  bytes: number,
  timeoutMs: number,
): Promise<Buffer> {
  const socket = connect(address)
  const timer = setTimeout(() => socket.destroy(new DeadlineError(`no answer within ${timeoutMs} ms`)), timeoutMs)
  try {
    socket.write(request)
    let answer = Buffer.alloc(0)
    for await (const chunk of socket) {
      answer = Buffer.concat([answer, chunk])
      if (answer.length >= bytes) break
    }
    return answer
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}
