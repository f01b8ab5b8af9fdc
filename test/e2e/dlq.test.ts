import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {messageDeadLetter} from '../../src/lib/pipeline/dead-letter.ts'
import {embeddedBus} from '../helpers/embedded-bus.ts'
import {coinpipe} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'

const DLQ = 'market.trade.g.dlq'

/** A log with three dead letters of two codes; its flags. */
async function logWithLetters(): Promise<string[]> {
  const folder = await tempDir()
  const {bus} = await embeddedBus({path: join(folder, 'log', 'coinpipe-log.sqlite')})
  await bus.ensureTopic('market.trade', {partitions: 2, retentionMs: null, retentionBytes: null})
  const message = {topic: 'market.trade', partition: 1, offset: 5, headers: {}, timestampMs: 0}
  for (const [value, code] of [
    ['one', 'COINPIPE_A'],
    ['two', 'COINPIPE_B'],
    ['three', 'COINPIPE_A'],
  ] as const) {
    await bus.publish([messageDeadLetter('g', {...message, key: value, value}, {code, message: `why ${value}`, attempts: 2})])
  }
  return ['--data-dir', folder]
}

describe('coinpipe dlq', () => {
  it('lists and shows', async () => {
    const at = await logWithLetters()
    const listed = await coinpipe('dlq', 'list', ...at)
    expect(listed.stdout).toMatch(/^topic +letters +oldest +newest +codes\n/)
    expect(listed.stdout).toMatch(/market\.trade\.g\.dlq +3 .*COINPIPE_A 2, COINPIPE_B 1\n$/)
    const shown = await coinpipe('dlq', 'show', DLQ, '--last', '1', '--code', 'COINPIPE_A', '--json', ...at)
    expect(JSON.parse(shown.stdout)).toMatchObject([
      {offset: 2, code: 'COINPIPE_A', reason: 'why three', attempts: 2, value: 'three', encoding: 'text'},
    ])
    expect((await coinpipe('dlq', 'show', DLQ, ...at)).stdout).toMatch(/0:1 +COINPIPE_B +2 +market\.trade 1:5 +why two +two\n/)
    expect(await coinpipe('dlq', 'show', 'market.trade', ...at)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('holds no dead letters'),
    })
  })

  it('redrives once, after a preview', async () => {
    const at = await logWithLetters()
    const preview = await coinpipe('dlq', 'redrive', DLQ, ...at)
    expect(preview.stderr).toContain('nothing was sent; to do it, add --execute')
    expect(preview.stdout).toMatch(/COINPIPE_A +market\.trade +2 +0 +0\n/)
    const sent = await coinpipe('dlq', 'redrive', DLQ, '--code', 'COINPIPE_A', '--execute', '--json', ...at)
    expect(JSON.parse(sent.stdout)).toMatchObject({topic: DLQ, executed: true, sent: 2})
    const rest = await coinpipe('dlq', 'redrive', DLQ, '--execute', ...at)
    expect(rest.stderr).toContain('sent 1 letter')
    const {stdout} = await coinpipe('tail', 'market.trade', '--exit', '--template', '%p %k %s %h\\n', ...at)
    expect(stdout).toBe('1 one one attempts=3\n1 three three attempts=3\n1 two two attempts=3\n')
  })

  it('purges, but not without being told to', async () => {
    const at = await logWithLetters()
    expect(await coinpipe('dlq', 'purge', DLQ, ...at)).toMatchObject({code: 2, stderr: expect.stringContaining('--yes')})
    expect(JSON.parse((await coinpipe('dlq', 'purge', DLQ, '--yes', '--json', ...at)).stdout)).toEqual({topic: DLQ, removed: 3})
    const listed = await coinpipe('dlq', 'list', '--json', ...at)
    expect(JSON.parse(listed.stdout)).toEqual([{topic: DLQ, records: 0, codes: {}, oldestMs: null, newestMs: null}])
  })
})
