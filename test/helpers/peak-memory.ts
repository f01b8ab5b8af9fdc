import {onTestFinished} from 'vitest'
import {processFacts} from '../../src/lib/cluster/process-facts.ts'

const EVERY_MS = 100
const MIB = 1024 * 1024

/** Looks at the memory of a process, while it runs, again and again until the test is over; returns the most that was seen, in MiB. */
export function watchMemory(process: {readonly pid: number | null}): () => number {
  let peak = 0
  const timer = setInterval(() => {
    const {pid} = process
    if (pid !== null) peak = Math.max(peak, processFacts(pid)?.rssBytes ?? 0)
  }, EVERY_MS)
  onTestFinished(() => clearInterval(timer))
  return () => Math.round(peak / MIB)
}
