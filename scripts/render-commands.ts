import type {Command, Interfaces} from '@oclif/core'

type Flag = Command.Flag.Cached

/** Files about the commands: one page per topic, an index, and the list of commands and flags whose changes a review should see. */
export function renderCommands(manifest: Interfaces.Manifest, folder: string): Map<string, string> {
  const commands = Object.values(manifest.commands)
    .filter((command) => !command.hidden)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  const topics = Map.groupBy(commands, (command) => command.id.split(':')[0] ?? command.id)
  return new Map([
    [`${folder}/README.md`, renderIndex(commands)],
    [`${folder}/snapshot.txt`, renderSnapshot(commands)],
    ...[...topics].map(([topic, members]): [string, string] => [`${folder}/${topic}.md`, renderTopic(topic, members)]),
  ])
}

function renderIndex(commands: readonly Command.Cached[]): string {
  const rows = commands.map(
    (command) => `| [\`${words(command)}\`](${command.id.split(':')[0]}.md#${anchor(command)}) | ${summary(command)} |`,
  )
  return ['# Commands', '', 'Generated from the commands by `npm run docs`.', '', '| Command | Does |', '|---|---|', ...rows, ''].join('\n')
}

/** One command or flag a line. */
function renderSnapshot(commands: readonly Command.Cached[]): string {
  const lines = commands.flatMap((command) => [
    [words(command), ...Object.keys(command.args)].join(' '),
    ...publicFlags(command).map((flag) => `${words(command)} ${spelling(flag)}`),
  ])
  return `${lines.join('\n')}\n`
}

function renderTopic(topic: string, commands: readonly Command.Cached[]): string {
  const sections = commands.flatMap(renderCommand)
  return [`# coinpipe ${topic}`, '', 'Generated from the commands by `npm run docs`.', ...sections, ''].join('\n')
}

function renderCommand(command: Command.Cached): string[] {
  const args = Object.values(command.args)
  const usage = [
    'coinpipe',
    words(command),
    ...args.map((arg) => (arg.required ? arg.name.toUpperCase() : `[${arg.name.toUpperCase()}]`)),
    '[flags]',
  ].join(' ')
  return [
    '',
    `## ${words(command)}`,
    '',
    summary(command),
    '',
    '```sh',
    usage,
    '```',
    ...(command.summary && command.description ? ['', fill(command, command.description)] : []),
    ...table(
      ['Argument', 'Meaning'],
      args.map((arg) => [`\`${arg.name.toUpperCase()}\``, arg.description ?? '']),
    ),
    ...table(['Flag', 'Environment', 'Default', 'Meaning'], publicFlags(command).map(flagRow)),
    ...examples(command),
  ]
}

function flagRow(flag: Flag): string[] {
  const options = flag.type === 'option' && flag.options ? ` One of: ${flag.options.map((option) => `\`${option}\``).join(', ')}.` : ''
  const fallback = flag.type === 'option' && flag.default !== undefined ? `\`${String(flag.default)}\`` : ''
  const meaning = `${flag.summary ?? flag.description ?? ''}${flag.required ? ' Required.' : ''}${options}`
  return [`\`${spelling(flag)}\``, flag.env ? `\`${flag.env}\`` : '', fallback, meaning]
}

function examples(command: Command.Cached): string[] {
  const given = typeof command.examples === 'string' ? [command.examples] : (command.examples ?? [])
  const lines = given.map((example) => (typeof example === 'string' ? [example] : [`# ${example.description}`, example.command]))
  return lines.length === 0 ? [] : ['', '```sh', ...lines.flat().map((line) => fill(command, line).replace(/^\$ /, '')), '```']
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return ['', line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)]
}

function publicFlags(command: Command.Cached): Flag[] {
  return Object.values(command.flags)
    .filter((flag) => !flag.hidden)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function spelling(flag: Flag): string {
  const name = flag.type === 'boolean' && flag.allowNo ? `--[no-]${flag.name}` : `--${flag.name}`
  const short = flag.char ? `-${flag.char}, ` : ''
  return flag.type === 'option' ? `${short}${name} ${flag.helpValue ?? '<value>'}` : `${short}${name}`
}

function summary(command: Command.Cached): string {
  return fill(command, command.summary ?? command.description ?? '')
}

/** The two templates that examples use. */
function fill(command: Command.Cached, text: string): string {
  return text.replaceAll('<%= config.bin %>', 'coinpipe').replaceAll('<%= command.id %>', words(command))
}

function words(command: Command.Cached): string {
  return command.id.replaceAll(':', ' ')
}

function anchor(command: Command.Cached): string {
  return command.id.replaceAll(':', '-')
}
