import type {BusMessage} from '../core/ports/bus.ts'

/** Reads; where nothing is there, again after each change until something is or `waitMs` are over. */
export async function readWaiting(
  read: () => Promise<readonly BusMessage[]>,
  onChange: (listener: () => void) => () => void,
  waitMs: number,
): Promise<readonly BusMessage[]> {
  if (waitMs <= 0) return read()
  let over = false
  let changed = Promise.withResolvers<void>()
  const unlisten = onChange(() => changed.resolve())
  const timer = setTimeout(() => {
    over = true
    changed.resolve()
  }, waitMs)
  try {
    for (;;) {
      // Before the read: what comes in meanwhile must not be missed.
      changed = Promise.withResolvers()
      const messages = await read()
      if (messages.length > 0 || over) return messages
      await changed.promise
    }
  } finally {
    unlisten()
    clearTimeout(timer)
  }
}
