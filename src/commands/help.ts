import {Args, Command, loadHelpClass} from '@oclif/core'
import {unknownCommand, visibleCommands} from '../lib/cli/not-found.ts'

export default class Help extends Command {
  static override summary = 'Show help of a command or topic, as --help does.'
  static override examples = ['<%= config.bin %> help', '<%= config.bin %> help query trades']
  static override args = {command: Args.string({description: 'Command or topic, its words separated by spaces.'})}
  static override strict = false

  async run(): Promise<void> {
    const {argv} = await this.parse(Help)
    const id = argv.join(':')
    if (id !== '' && !this.config.findCommand(id) && !this.config.findTopic(id)) throw unknownCommand(id, visibleCommands(this.config))
    const HelpClass = await loadHelpClass(this.config)
    await new HelpClass(this.config).showHelp(argv.map(String))
  }
}
