import {fileURLToPath} from 'node:url'
import {type Command, type Hook, type Interfaces, Plugin, run, settings} from '@oclif/core'
import packageJson from '../package.json' with {type: 'json'}
import {unknownCommand, visibleCommands} from './lib/cli/not-found.ts'
import {runProcess} from './lib/cli/run-process.ts'

const SELF = fileURLToPath(import.meta.url)
/** This file is src/main.ts or, bundled, dist/coinpipe.mjs: either way one folder below package.json. */
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FROM_SOURCES = SELF.endsWith('.ts')

/** Commands are found by file name, in the sources and in the bundle alike: esbuild turns this import into a table of lazy modules. */
class CoinpipePlugin extends Plugin {
  override async findCommand(id: string): Promise<Command.Class> {
    const module: {default: Command.Class} = await import(`./commands/${id.replaceAll(':', '/')}.ts`)
    const command = module.default
    command.id = id
    command.plugin = this
    return command
  }
}

/** coinpipe as oclif sees it: commands from the manifest or, run from the sources, from src/commands. */
export async function loadPlugin(): Promise<Plugin> {
  settings.enableAutoTranspile = false
  const hooks = {command_not_found: {target: SELF, identifier: 'onCommandNotFound'}}
  const pjson: Interfaces.PJSON = {...packageJson, oclif: {...packageJson.oclif, topicSeparator: ' ', hooks}}
  const plugin = new CoinpipePlugin({root: ROOT, pjson, isRoot: true, ignoreManifest: FROM_SOURCES, errorOnManifestCreate: true})
  await plugin.load()
  return plugin
}

/** oclif's own answer to an unknown command is a prompt, which would hang a script. */
export const onCommandNotFound: Hook.CommandNotFound = async ({id, config}) => {
  throw unknownCommand(id, visibleCommands(config))
}

export async function main(argv: string[]): Promise<void> {
  await runProcess(argv, async () => {
    const plugin = await loadPlugin()
    await run(argv, {root: ROOT, pjson: plugin.pjson, plugins: new Map([[plugin.name, plugin]])})
  })
}
