import {InvalidInputError} from '../core/errors.ts'

/** `key=value` texts by key; an empty value is null: back to the default. Throws InvalidInputError where there is no key, or one twice. */
export function parseSettings(texts: readonly string[]): Record<string, string | null> {
  const settings: Record<string, string | null> = {}
  for (const text of texts) {
    const [, key, value] = /^([A-Za-z0-9._-]+)=(.*)$/s.exec(text) ?? []
    if (key === undefined) {
      throw new InvalidInputError(`'${text}' is not a setting`, {remedy: ['write key=value, for example min.insync.replicas=2']})
    }
    if (Object.hasOwn(settings, key)) throw new InvalidInputError(`setting '${key}' is given twice`, {remedy: ['leave one of them away']})
    settings[key] = value === undefined || value === '' ? null : value
  }
  return settings
}

/** Those that have a value. */
export function givenSettings(settings: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).filter((entry): entry is [string, string] => entry[1] !== null))
}
