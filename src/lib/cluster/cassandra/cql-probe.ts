import {exchange} from '../exchange.ts'

/** Version 4 of the protocol, stream 0: a request without a body that every node answers before anyone logs in, and the code of its answer. */
const OPTIONS = Buffer.from([0x04, 0, 0, 0, 0x05, 0, 0, 0, 0])
const SUPPORTED = 0x06

/** Whether a node answers the first question that drivers ask. Rejects where nobody listens, or does not answer in time. */
export async function servesCql(host: string, port: number, timeoutMs: number): Promise<boolean> {
  const answer = await exchange({host, port}, OPTIONS, OPTIONS.length, timeoutMs)
  return answer[4] === SUPPORTED
}
