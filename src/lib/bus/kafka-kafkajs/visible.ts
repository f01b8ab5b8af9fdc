import type {AbortedTransaction, FetchedMessage} from './wire.ts'

/** The second half of a mark's key; a commit is 1. https://kafka.apache.org/documentation/#controlbatch */
const ABORT = 0

/**
 * The records among what was fetched: without the marks of transactions, and without what was aborted. The broker lists aborted transactions in the
 * order in which they ended, and several may be open at once; kafkajs' own filter takes them for sorted by their start and one at a time.
 */
export function visibleMessages(
  messages: readonly FetchedMessage[],
  aborted: readonly AbortedTransaction[] | null,
): readonly FetchedMessage[] {
  const starts = (aborted ?? [])
    .map(({producerId, firstOffset}) => ({producerId, first: Number(firstOffset)}))
    .sort((a, b) => a.first - b.first)
  const open = new Set<string>()
  let next = 0
  return messages.filter(({offset, key, isControlRecord, batchContext: {producerId, inTransaction}}) => {
    const at = starts.length === 0 ? 0 : Number(offset)
    for (let start = starts[next]; start !== undefined && start.first <= at; start = starts[++next]) open.add(start.producerId)
    if (isControlRecord && key?.readInt16BE(2) === ABORT) open.delete(producerId)
    return !isControlRecord && !(inTransaction && open.has(producerId))
  })
}
