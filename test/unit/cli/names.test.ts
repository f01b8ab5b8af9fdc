import {describe, expect, it} from 'vitest'
import {MemoryBus} from '../../../src/lib/bus/memory/memory-bus.ts'
import {checkTopics} from '../../../src/lib/cli/names.ts'
import {testContext} from '../../helpers/context.ts'

const KEEP = {partitions: 1, retentionMs: null, retentionBytes: null}

async function openBus(...topics: readonly string[]) {
  const bus = new MemoryBus({}, testContext())
  await bus.connect()
  for (const topic of topics) await bus.ensureTopic(topic, KEEP)
  return bus
}

describe('checkTopics', () => {
  it('lets pass what is there', async () => {
    await expect(checkTopics(await openBus('my.events'), ['my.events'], 'embedded')).resolves.toBeUndefined()
  })

  it.each([
    ['topics', 'all topics: coinpipe topics list --bus kafka'],
    ['dlq', 'all that hold dead letters: coinpipe dlq list --bus kafka'],
  ] as const)('says what lists the %s', async (list, expected) => {
    const checked = checkTopics(await openBus('my.events.dlq'), ['nope'], 'kafka', list)
    await expect(checked).rejects.toMatchObject({code: 'COINPIPE_UNKNOWN_TOPIC', remedy: [expected]})
  })
})
