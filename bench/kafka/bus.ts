import {tmpdir} from 'node:os'
import {loadConfig} from '../../src/lib/config/load.ts'
import {systemClock} from '../../src/lib/core/clock.ts'
import type {Context} from '../../src/lib/core/context.ts'
import type {Bus, BusAdmin} from '../../src/lib/core/ports/bus.ts'
import {createLogger} from '../../src/lib/observability/logger.ts'
import {createMetrics} from '../../src/lib/observability/metrics.ts'
import {createBus} from '../../src/lib/pipeline/bus.ts'

export function benchContext(): Context {
  return {
    logger: createLogger({level: 'warn'}),
    metrics: createMetrics(),
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
  }
}

/** The bus as a user has it with `--bus kafka --brokers …`; `set` as `--set` takes it. */
export async function kafkaBus(
  brokers: string,
  {driver, set = []}: {readonly driver?: string; readonly set?: readonly string[]} = {},
): Promise<Bus & BusAdmin> {
  const {config} = await loadConfig({env: {}, flags: {bus: 'kafka', brokers, kafkaClient: driver, set}, defaultDataDir: tmpdir()})
  const bus = createBus(config, benchContext())
  await bus.connect()
  return bus
}
