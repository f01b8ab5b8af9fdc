import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {COINPIPE, start} from '../helpers/run-cli.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coinpipe-config-e2e-'))
  await writeFile(join(folder, 'good.yaml'), 'version: 1\nserve: {port: 9000}\n')
  await writeFile(join(folder, 'bad.yaml'), 'version: 1\nserve: {prot: 9000}\nbus: {kind: rabbit}\n')
  await writeFile(join(folder, 'doubtful.yaml'), 'version: 1\nlog: {level: warn}\nsinks: {store: {kind: store}}\n')
})
afterAll(() => rm(folder, {recursive: true}))

function coinpipe(...words: string[]) {
  return start(COINPIPE, words, {cwd: folder, env: {COINPIPE_SERVE_HOST: '::1'}}).ended
}

describe('config check', () => {
  it('exits 0 for a good file', async () => {
    expect(await coinpipe('config', 'check', '--config', 'good.yaml')).toEqual({code: 0, stdout: 'good.yaml is fine\n', stderr: ''})
  })

  it('exits 1 for a bad one and prints every problem, or hands them over as JSON', async () => {
    const {code, stdout} = await coinpipe('config', 'check', '--config', 'bad.yaml')
    expect(code).toBe(1)
    expect(stdout.split('\n')).toEqual([
      "error: serve.prot: saw an unknown key, allowed host, port; did you mean 'port'? (bad.yaml:2:9)",
      "error: bus.kind: saw 'rabbit', allowed embedded, kafka (bad.yaml:3:7)",
      'bad.yaml: 2 to correct',
      '',
    ])
    const json = await coinpipe('config', 'check', '--config', 'bad.yaml', '--json')
    expect(json.code).toBe(1)
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      file: 'bad.yaml',
      errors: [{path: 'serve.prot', suggestion: 'port', origin: {kind: 'file', line: 2, column: 9}}, {path: 'bus.kind'}],
    })
  })

  it.each([
    [['config', 'check'], /there is no coinpipe\.yaml in this folder \[COINPIPE_CONFIG_FILE\]/],
    [['config', 'check', '--config', 'nope.yaml'], /cannot read the config file nope\.yaml: there is no such file/],
    [['config', 'check', '--confg', 'good.yaml'], /confg/],
  ])('exits 2 for %j', async (words, message) => {
    const {code, stderr} = await coinpipe(...words)
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })
})

describe('a command that runs by a config', () => {
  const run = (...words: string[]) => coinpipe('topics', 'list', '--config', 'doubtful.yaml', '--data-dir', folder, ...words)

  it('says what is doubtful in it, unless a flag asks for less than its own log.level', async () => {
    expect(await run()).toMatchObject({code: 0, stderr: expect.stringContaining('a sink that no pipeline writes to')})
    expect(await run('--log-level', 'error')).toMatchObject({code: 0, stderr: 'there is no topic yet\n'})
  })
})

describe('config show', () => {
  it('tells where each value came from', async () => {
    const {code, stdout} = await coinpipe('config', 'show', '--config', 'good.yaml', '--set', 'log.level=warn', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual(
      expect.arrayContaining([
        {path: 'serve.port', value: 9000, origin: 'good.yaml:2:9'},
        {path: 'serve.host', value: '::1', origin: 'env COINPIPE_SERVE_HOST'},
        {path: 'log.level', value: 'warn', origin: 'flag --set'},
        {path: 'bus.kind', value: 'embedded', origin: 'default'},
      ]),
    )
  })

  it('exits 2 for a config that cannot be used', async () => {
    const {code, stderr} = await coinpipe('config', 'show', '--config', 'bad.yaml')
    expect(code).toBe(2)
    expect(stderr).toContain('serve.prot: saw an unknown key')
  })
})
