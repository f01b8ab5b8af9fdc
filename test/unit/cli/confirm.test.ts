import {PassThrough} from 'node:stream'
import {describe, expect, it} from 'vitest'
import {confirm} from '../../../src/lib/cli/confirm.ts'

/** A terminal on which somebody types. */
function terminal(isTTY = true) {
  const stdin = Object.assign(new PassThrough(), {isTTY})
  const stderr = Object.assign(new PassThrough(), {isTTY})
  let shown = ''
  stderr.on('data', (chunk) => {
    shown += chunk
  })
  return {stdin, stderr, shown: () => shown}
}

const signal = new AbortController().signal

describe('confirm', () => {
  it('asks nobody where --yes is given', async () => {
    const screen = terminal(false)
    await confirm('Delete it?', {yes: true, signal, terminal: screen})
    expect(screen.shown()).toBe('')
  })

  it('refuses without a terminal, and says how to go on', async () => {
    const refused = confirm('Delete it?', {yes: false, signal, terminal: terminal(false)})
    await expect(refused).rejects.toMatchObject({
      code: 'COINPIPE_NOT_CONFIRMED',
      exitCode: 2,
      message: expect.stringContaining('Delete it?'),
      remedy: [expect.stringContaining('--yes')],
    })
  })

  it.each(['y', 'Y', 'yes', ' yes '])('goes on after %j', async (answer) => {
    const screen = terminal()
    screen.stdin.write(`${answer}\n`)
    await confirm('Delete it?', {yes: false, signal, terminal: screen})
    expect(screen.shown()).toContain('Delete it? [y/N]')
  })

  it.each(['', 'n', 'no', 'yesterday'])('stops after %j', async (answer) => {
    const screen = terminal()
    screen.stdin.write(`${answer}\n`)
    await expect(confirm('Delete it?', {yes: false, signal, terminal: screen})).rejects.toMatchObject({exitCode: 130})
  })

  it('stops where the input ends', async () => {
    const screen = terminal()
    screen.stdin.end()
    await expect(confirm('Delete it?', {yes: false, signal, terminal: screen})).rejects.toMatchObject({exitCode: 130})
  })

  it('stops with the run', async () => {
    const controller = new AbortController()
    const asked = confirm('Delete it?', {yes: false, signal: controller.signal, terminal: terminal()})
    controller.abort()
    await expect(asked).rejects.toMatchObject({exitCode: 130})
  })
})
