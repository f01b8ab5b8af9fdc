import {describe, expect, it} from 'vitest'
import {COINPIPE, coinpipe, start} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'

const TRADES = Array.from({length: 12}, (_, at) => `upbit:M${at % 3}\t{"type":"trade","price":"${100 + at}.50","symbol":"M${at % 3}"}`)

/** A log whose topic has the lines, keys before tabs; its flags. */
async function logWith(lines: readonly string[]): Promise<string[]> {
  const at = ['--data-dir', await tempDir()]
  const {child, ended} = start(COINPIPE, [
    'produce',
    'market.trade',
    '--create',
    '--key-delimiter',
    '\\t',
    '--header',
    'source=test',
    ...at,
  ])
  child.stdin.end(lines.join('\n'))
  expect(await ended).toMatchObject({code: 0})
  return at
}

describe('coinpipe tail', () => {
  it("shows the last records as JSON with kcat's keys", async () => {
    const at = await logWith(TRADES)
    const {code, stdout, stderr} = await coinpipe('tail', 'market.trade', '-o', '-5', '-J', '--count', '5', ...at)
    expect({code, stderr}).toEqual({code: 0, stderr: ''})
    const lines = stdout.trimEnd().split('\n')
    expect(lines.length).toBe(5)
    for (const line of lines) {
      expect(Object.keys(JSON.parse(line))).toEqual(['topic', 'partition', 'offset', 'tstype', 'ts', 'broker', 'headers', 'key', 'payload'])
      expect(JSON.parse(line)).toMatchObject({topic: 'market.trade', tstype: 'logappend', headers: ['source', 'test']})
    }
    const asJson = await coinpipe('tail', 'market.trade', '--offset', '-5', '--count', '5', '--json', ...at)
    expect(asJson.stdout).toBe(stdout)
  })

  it('filters, and writes by a format', async () => {
    const at = await logWith(TRADES)
    const shown = await coinpipe('tail', 'market.trade', '-e', '-f', '%k %S %h\\n', '--filter', '.price >= 110.5 && key =~ /M[12]$/', ...at)
    expect(shown.stdout.trimEnd().split('\n').sort()).toEqual(['upbit:M1 47 source=test', 'upbit:M2 47 source=test'])
    const wrong = await coinpipe('tail', 'market.trade', '--filter', '.price >', ...at)
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toContain('--filter: the filter cannot be read at character 9: expected a field (.price)')
    expect(wrong.stderr).toContain('\n  .price >\n          ^\n')
  })

  it('follows the log until Ctrl-C, and exits 0', async () => {
    const at = await logWith(TRADES)
    const {child, ended, saw} = start(COINPIPE, ['tail', 'market.trade', '--offset', 'beginning', ...at])
    await saw(/"price":"111\.50"/)
    const more = start(COINPIPE, ['produce', 'market.trade', ...at])
    more.child.stdin.end('something new\n')
    await saw(/something new/)
    child.kill('SIGINT')
    const {code, stdout} = await ended
    expect(code).toBe(0)
    expect(stdout.trimEnd().split('\n').length).toBe(13)
  })

  it('ends without a complaint when its reader has seen enough', async () => {
    const at = await logWith(Array.from({length: 50_000}, (_, i) => `k\trecord ${i} ${'x'.repeat(100)}`))
    const script = `"$0" "$@" | head -n 2; echo "\${PIPESTATUS[0]}"`
    const {ended} = start('bash', ['-c', script, COINPIPE, 'tail', 'market.trade', '-o', 'beginning', ...at])
    const {stdout, stderr} = await ended
    expect(stderr).toBe('')
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(0, 8)),
    ).toEqual(['record 0', 'record 1', '0'])
  })

  it('refuses what does not fit, with what to type instead', async () => {
    const at = await logWith(TRADES)
    const cases: readonly (readonly [readonly string[], string])[] = [
      [['market.trad'], 'did you mean: market.trade'],
      [['market.trade', '-o', 'stored'], 'name it: --group'],
      [['market.trade', '-o', 'stored', '--group', 'none'], "there is no group 'none'"],
      [['market.trade', '-o', 'start'], 'beginning, end, stored'],
      [['market.trade', '-p', '9'], 'has no partition 9'],
      [['market.trade', '-f', '%x'], "unknown token '%x' at character 1"],
      [['market.trade', '--decode', 'avro'], '--registry'],
    ]
    for (const [args, expected] of cases) {
      const {code, stderr} = await coinpipe('tail', ...args, ...at)
      expect(stderr).toContain(expected)
      expect(code).toBe(2)
    }
  })
})
