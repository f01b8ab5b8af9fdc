import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {COINPIPE, coinpipe, type Ended, start} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'

async function produce(input: string | Buffer, ...args: readonly string[]): Promise<Ended> {
  const {child, ended} = start(COINPIPE, ['produce', 'my.events', ...args])
  child.stdin.end(input)
  return await ended
}

async function shown(folder: string): Promise<string[]> {
  const {stdout} = await coinpipe('tail', 'my.events', '--exit', '--nulls', '--template', '%k=%s %S\\n', '--data-dir', folder)
  return stdout.trimEnd().split('\n').sort()
}

describe('coinpipe produce', () => {
  it('writes lines with keys, tombstones and headers, and answers with --json', async () => {
    const folder = await tempDir()
    const {code, stdout} = await produce('a:1\n\nb:\nc\n', '--create', '-K', ':', '-Z', '-H', 'x=1', '--json', '--data-dir', folder)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({topic: 'my.events', records: 3, bytes: 4, refused: 0, refusals: []})
    expect(await shown(folder)).toEqual(['NULL=c 1', 'a=1 1', 'b=NULL -1'])
  })

  it('writes files whole, or line by line', async () => {
    const folder = await tempDir()
    const file = join(folder, 'two lines')
    await writeFile(file, 'one\ntwo\n')
    const at = ['--file', file, '--data-dir', folder]
    expect((await produce('', '--create', ...at)).stderr).toContain("1 record in 'my.events'")
    expect((await produce('', '--lines', ...at)).stderr).toContain("2 records in 'my.events'")
    expect(await shown(folder)).toEqual(['NULL=one', 'NULL=one 3', 'NULL=two 3', 'two', ' 8'].sort())
  })

  it('leaves out a line that is too large, keeps the others, and exits 1', async () => {
    const folder = await tempDir()
    const {code, stderr} = await produce(`one\n${'x'.repeat(17 * 1024 * 1024)}\nthree\n`, '--create', '--data-dir', folder)
    expect(code).toBe(1)
    expect(stderr).toContain('line 2 was left out: ')
    expect(await shown(folder)).toEqual(['NULL=one 3', 'NULL=three 5'])
  })

  it('has what it read in the log when it is interrupted', async () => {
    const folder = await tempDir()
    const {child, ended} = start(COINPIPE, ['produce', 'my.events', '--create', '--data-dir', folder])
    child.stdin.write('one\ntwo\nhal')
    const hasTopic = async () => (await coinpipe('topics', 'list', '--json', '--data-dir', folder)).stdout.includes('my.events')
    await until('the topic to be there', hasTopic, 20_000)
    const reader = start(COINPIPE, ['tail', 'my.events', '--offset', 'beginning', '--data-dir', folder])
    await reader.saw(/two/)
    child.kill('SIGINT')
    expect(await ended).toMatchObject({code: 0, stderr: expect.stringContaining("2 records in 'my.events'")})
  })

  it('makes no topic by itself, and suggests one', async () => {
    const folder = await tempDir()
    await produce('x\n', '--create', '--data-dir', folder)
    const {child, ended} = start(COINPIPE, ['produce', 'my.event', '--data-dir', folder])
    child.stdin.end('x\n')
    const {code, stderr} = await ended
    expect(code).toBe(2)
    expect(stderr).toContain('did you mean: my.events')
    expect((await produce('x\n', '--partition', '9', '--data-dir', folder)).code).toBe(2)
    const {code: usage, stderr: missing} = await coinpipe('produce', '--data-dir', folder)
    expect(usage).toBe(2)
    expect(missing).toContain('Missing 1 required arg')
  })
})
