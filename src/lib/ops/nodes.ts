import type {BusAdmin} from '../core/ports/bus.ts'

/** One setting of a node that was changed. */
export interface SettingChange {
  readonly name: string
  /** Null where it was not set, or is secret. */
  readonly before: string | null
  readonly after: string | null
}

/** What giving a node these settings would change; null goes back to the default. */
export async function planNodeChange(
  admin: BusAdmin,
  id: string,
  settings: Readonly<Record<string, string | null>>,
): Promise<readonly SettingChange[]> {
  const now = new Map((await admin.nodeSettings(id)).map(({name, value}) => [name, value]))
  return Object.entries(settings).map(([name, after]) => ({name, before: now.get(name) ?? null, after}))
}
