import type {Command, Interfaces} from '@oclif/core'
import {describe, expect, it} from 'vitest'
import generated from '../../../oclif.manifest.json' with {type: 'json'}

/** Not ours: oclif's autocomplete, and help, which takes no flags. */
const FOREIGN = /^(autocomplete|help)\b/
// JSON widens literal types; `npm run docs:check` holds the file to what oclif wrote.
const manifest = generated as unknown as Interfaces.Manifest
const commands = Object.values(manifest.commands).filter(({id}) => !FOREIGN.test(id))
const flags = commands.flatMap((command) => Object.values(command.flags).map((flag) => ({command, flag})))

/** Wording and defaults may fit the command; one variable must not be read in two ways. */
function kind(flag: Command.Flag.Cached): string {
  return JSON.stringify({char: flag.char, env: flag.env, type: flag.type, multiple: flag.type === 'option' && flag.multiple})
}

describe('every command', () => {
  it.each(commands.map((command): [string, Command.Cached] => [command.id, command]))(
    '%s has a summary and two examples with long flags',
    (_, command) => {
      expect(command.summary).toMatch(/^[A-Z].*\.$/)
      const examples = [command.examples ?? []].flat().map((example) => (typeof example === 'string' ? example : example.command))
      expect(examples.length).toBeGreaterThanOrEqual(2)
      expect(examples.filter((example) => / -[a-z]\b/.test(example))).toEqual([])
    },
  )

  it('has a summary for every flag', () => {
    const wrong = flags.filter(({flag}) => !flag.summary)
    expect(wrong.map(({command, flag}) => `${command.id} --${flag.name}: ${flag.summary}`)).toEqual([])
  })

  it('takes every flag from its environment variable too', () => {
    const wrong = flags.filter(({flag}) => flag.env !== `COINPIPE_${flag.name.replaceAll('-', '_').toUpperCase()}`)
    expect(wrong.map(({command, flag}) => `${command.id} --${flag.name}: ${flag.env}`)).toEqual([])
  })

  it('takes a flag in the way that all others take it', () => {
    const byName = Map.groupBy(flags, ({flag}) => flag.name)
    const wrong = [...byName].filter(([, uses]) => new Set(uses.map(({flag}) => kind(flag))).size > 1)
    expect(wrong.map(([name, uses]) => `--${name}: ${uses.map(({command, flag}) => `${command.id} ${kind(flag)}`).join(', ')}`)).toEqual([])
  })
})
