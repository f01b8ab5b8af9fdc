import type {Interfaces} from '@oclif/core'
import {distance} from 'fastest-levenshtein'
import {UnknownCommandError} from './errors.ts'

/** Beyond this share of wrong letters a suggestion is a guess. */
const MAX_WRONG_SHARE = 0.5

/**
 * The error for a command that does not exist, with the nearest one that does.
 * `id` is what was typed, words joined by colons, perhaps with arguments behind; `commands` are ids of the same kind.
 */
export function unknownCommand(id: string, commands: readonly string[]): UnknownCommandError {
  const typed = id.replaceAll(':', ' ')
  const nearest = commands
    .map((command) => ({command: command.replaceAll(':', ' '), wrong: wrongShare(typed, command.replaceAll(':', ' '))}))
    .sort((a, b) => a.wrong - b.wrong)[0]
  const suggestion = nearest && nearest.wrong <= MAX_WRONG_SHARE ? [`did you mean: coinpipe ${nearest.command}`] : []
  return new UnknownCommandError(`there is no command '${typed}'`, {remedy: [...suggestion, 'all commands: coinpipe --help']})
}

/** Ids of the commands that help lists. */
export function visibleCommands({commands}: Pick<Interfaces.Config, 'commands'>): string[] {
  return commands.filter(({hidden}) => !hidden).map(({id}) => id)
}

/** Arguments may follow the command: only as many words as the command has are compared. */
function wrongShare(typed: string, command: string): number {
  const words = typed.split(' ').slice(0, command.split(' ').length).join(' ')
  return distance(words, command) / Math.max(words.length, command.length)
}
