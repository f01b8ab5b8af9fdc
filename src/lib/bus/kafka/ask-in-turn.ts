/** One that has not answered by then may still do so, but the next one is asked beside it: a paused process takes connections and never answers. */
const BESIDE_MS = 500

/**
 * Asks one after the other until one answers: the next one when one fails, or takes long. Only for questions that may be asked twice. Rejects with an error
 * that `isLocal` says no of, as others would answer with the same, or with the last one.
 */
export async function askInTurn<T>(questions: readonly (() => Promise<T>)[], isLocal: (error: unknown) => boolean): Promise<T> {
  const {promise, resolve, reject} = Promise.withResolvers<T>()
  const waiting = [...questions]
  let open = 0
  let timer: NodeJS.Timeout | undefined
  const next = () => {
    clearTimeout(timer)
    const question = waiting.shift()
    if (question === undefined) return
    open += 1
    if (waiting.length > 0) timer = setTimeout(next, BESIDE_MS)
    question().then(resolve, (error: unknown) => {
      open -= 1
      if (!isLocal(error) || (open === 0 && waiting.length === 0)) reject(error)
      else next()
    })
  }
  next()
  try {
    return await promise
  } finally {
    waiting.length = 0
    clearTimeout(timer)
  }
}
