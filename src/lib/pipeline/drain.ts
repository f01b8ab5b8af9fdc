/** How long a stopped part may take to finish what it has begun. */
export const DRAIN_MS = 15_000

/** Aborts `drainMs` after `signal` does: the deadline of the work that was under way when the stop came. */
export function drainDeadline(signal: AbortSignal, drainMs: number = DRAIN_MS): AbortSignal {
  const deadline = new AbortController()
  const start = () => setTimeout(() => deadline.abort(), drainMs).unref()
  if (signal.aborted) start()
  else signal.addEventListener('abort', start, {once: true})
  return deadline.signal
}
