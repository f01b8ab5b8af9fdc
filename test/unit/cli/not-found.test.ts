import {describe, expect, it} from 'vitest'
import {unknownCommand} from '../../../src/lib/cli/not-found.ts'

const COMMANDS = ['demo', 'decode', 'query:trades', 'query:book', 'sink:store']

describe('unknownCommand', () => {
  it.each([
    ['dmeo', 'demo'],
    ['query:trdes', 'query trades'],
    ['query:trdes:BTC-KRW', 'query trades'],
    ['sink:stor', 'sink store'],
    ['decod:file', 'decode'],
  ])('suggests the nearest command for %s', (typed, nearest) => {
    expect(unknownCommand(typed, COMMANDS).remedy).toContain(`did you mean: coinpipe ${nearest}`)
  })

  it('suggests nothing where nothing is near', () => {
    expect(unknownCommand('xylophone', COMMANDS).remedy).toEqual(['all commands: coinpipe --help'])
  })

  it('names what was typed, as it was typed', () => {
    const error = unknownCommand('query:trdes', COMMANDS)
    expect(error).toMatchObject({code: 'COINPIPE_UNKNOWN_COMMAND', exitCode: 2, message: "there is no command 'query trdes'"})
  })
})
