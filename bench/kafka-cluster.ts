import {withCluster} from './kafka/cluster.ts'
import {median} from './measure.ts'

const ROUNDS = 3
const BOUND_MS = 20_000

/** `cluster up kafka --nodes 3` on empty folders, jars being there: until every broker answers and every replica is in sync. */
export async function run(): Promise<boolean> {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) times.push(await withCluster(async ({upMs}) => upMs))
  const seconds = (ms: number) => (ms / 1000).toFixed(1)
  process.stdout.write(
    `three brokers up: ${times.map(seconds).join(', ')} s, median ${seconds(median(times))} s (bound: ${BOUND_MS / 1000} s)\n`,
  )
  return median(times) <= BOUND_MS
}
