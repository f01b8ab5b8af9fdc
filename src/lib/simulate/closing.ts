import type {WebSocket} from 'ws'

/** Resolves once all are closed, or after `withinMs`. */
export async function closed(sockets: readonly WebSocket[], withinMs: number): Promise<void> {
  const open = sockets.filter((ws) => ws.readyState !== ws.CLOSED)
  if (open.length === 0) return
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, withinMs)
  const all = open.map((ws) => new Promise<void>((resolve) => ws.once('close', () => resolve())))
  await Promise.race([Promise.all(all), late.promise])
  clearTimeout(timer)
}
