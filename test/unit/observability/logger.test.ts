import {spawnSync} from 'node:child_process'
import {fileURLToPath} from 'node:url'
import {describe, expect, it} from 'vitest'
import {InvalidInputError} from '../../../src/lib/core/errors.ts'
import {createLogger} from '../../../src/lib/observability/logger.ts'
import {createStatusStream} from '../../../src/lib/observability/status-stream.ts'

function memoryStream(isTTY = false) {
  const written: string[] = []
  return {stream: {isTTY, columns: 40, write: (text: string) => written.push(text)}, written}
}

describe('createLogger', () => {
  it('writes one JSON object a line off a terminal, with the level as a word', () => {
    const {stream, written} = memoryStream()
    createLogger({stream}).child({component: 'upbit'}).warn({attempt: 2}, 'reconnected')
    expect(written).toHaveLength(1)
    const line = JSON.parse(written[0] ?? '')
    expect(line).toMatchObject({level: 'warn', component: 'upbit', attempt: 2, msg: 'reconnected'})
    expect(new Date(line.time).toISOString()).toBe(line.time)
  })

  it('writes a plain line on a terminal', () => {
    const {stream, written} = memoryStream(true)
    createLogger({stream, color: false}).info({port: 8080}, 'page is up')
    expect(written.join('')).toMatch(/INFO.*page is up.*"port":8080/)
  })

  it('leaves out what is below the level', () => {
    const {stream, written} = memoryStream()
    const logger = createLogger({stream, level: 'warn'})
    logger.info({}, 'not shown')
    logger.error({}, 'shown')
    expect(written).toHaveLength(1)
  })

  it('keeps expected errors short and gives bugs their stack', () => {
    const {stream, written} = memoryStream()
    const logger = createLogger({stream})
    logger.error({error: new InvalidInputError('no such flag', {cause: new TypeError('inner')})}, 'failed')
    logger.error({error: new TypeError('undefined is not a function')}, 'failed')
    expect(JSON.parse(written[0] ?? '').error).toEqual({code: 'COINPIPE_INVALID_INPUT', message: 'no such flag', cause: 'inner'})
    expect(JSON.parse(written[1] ?? '').error.stack).toContain('logger.test.ts')
  })

  it('survives a reader that closed the pipe', () => {
    const module = fileURLToPath(new URL('../../../src/lib/observability/logger.ts', import.meta.url))
    const script = `
      import {createLogger} from ${JSON.stringify(module)}
      const logger = createLogger()
      for (let i = 0; i < 20000; i++) logger.info({i}, 'a line')
      console.log('done')`
    const command = `"${process.execPath}" --input-type=module -e '${script.replaceAll("'", `'"'"'`)}' 2> >(head -n 1 >/dev/null)`
    const {stdout, status} = spawnSync('bash', ['-c', command], {encoding: 'utf8', timeout: 20_000})
    expect({stdout, status}).toEqual({stdout: 'done\n', status: 0})
  })
})

describe('createStatusStream', () => {
  it('takes the status line away before a log line and shows it again after', () => {
    const {stream, written} = memoryStream(true)
    const status = createStatusStream(stream)
    status.setStatus('stored 10')
    status.write('a log line\n')
    status.setStatus('')
    expect(written).toEqual(['\r\u001b[Kstored 10', '\r\u001b[Ka log line\nstored 10', '\r\u001b[K'])
  })

  it('cuts the status to the width of the terminal and to one line', () => {
    const {stream, written} = memoryStream(true)
    createStatusStream(stream).setStatus(`one\ntwo ${'x'.repeat(100)}`)
    const shown = (written[0] ?? '').replace('\r\u001b[K', '')
    expect(shown).toHaveLength(39)
    expect(shown).toMatch(/^one two x+…$/)
  })

  it('shows no status off a terminal', () => {
    const {stream, written} = memoryStream()
    const status = createStatusStream(stream)
    status.setStatus('stored 10')
    status.write('a log line\n')
    expect(written).toEqual(['a log line\n'])
  })
})
