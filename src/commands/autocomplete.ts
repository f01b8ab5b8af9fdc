// The plugin's package does not export its commands, and oclif's own way to load a plugin reads node_modules, which a bundle does not have.
export {default} from '../../node_modules/@oclif/plugin-autocomplete/lib/commands/autocomplete/index.js'
