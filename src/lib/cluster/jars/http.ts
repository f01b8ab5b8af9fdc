import {createWriteStream} from 'node:fs'
import {mkdir} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import {JarFetchError} from './errors.ts'
import {jarPath} from './lock.ts'

const AT_ONCE = 4
const JAR_TIMEOUT_MS = 120_000

/** Downloads the jars below `folder`, in the layout of a repository, four at a time. Rejects with JarFetchError at the first that cannot be had. */
export async function fetchByHttp(base: string, coordinates: readonly string[], folder: string, signal: AbortSignal): Promise<void> {
  const left = [...coordinates]
  const failed = new AbortController()
  const worker = async () => {
    for (let jar = left.pop(); jar !== undefined; jar = left.pop()) {
      await download(
        new URL(jarPath(jar), `${base.replace(/\/+$/, '')}/`),
        join(folder, jarPath(jar)),
        AbortSignal.any([signal, failed.signal]),
      )
    }
  }
  const workers = Array.from({length: AT_ONCE}, worker)
  try {
    await Promise.all(workers)
  } catch (error) {
    // The others must be done with the folder before it is removed.
    failed.abort()
    await Promise.allSettled(workers)
    throw error
  }
}

async function download(url: URL, path: string, signal: AbortSignal): Promise<void> {
  try {
    const response = await fetch(url, {signal: AbortSignal.any([signal, AbortSignal.timeout(JAR_TIMEOUT_MS)])})
    if (!response.ok || response.body === null) throw new JarFetchError(`'${url}'`, `answered ${response.status}`)
    await mkdir(dirname(path), {recursive: true})
    await pipeline(response.body, createWriteStream(path))
  } catch (cause) {
    if (cause instanceof JarFetchError) throw cause
    signal.throwIfAborted()
    throw new JarFetchError(`'${url}'`, reason(cause), cause)
  }
}

/** `fetch` hides what the network said in the cause. */
function reason(error: unknown): string {
  const {message, cause} = error as Error
  return cause instanceof Error ? cause.message : message
}
