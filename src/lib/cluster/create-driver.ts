import type {Context} from '../core/context.ts'
import {ComposeDriver} from './docker-driver.ts'
import type {ClusterDriver} from './driver.ts'
import {JvmDriver} from './jvm/driver.ts'
import type {ClusterState} from './state.ts'

/** The driver that a cluster was made with. */
export function createDriver({plan, cacheDir}: ClusterState, folder: string, context: Context): ClusterDriver {
  return plan.driver === 'jvm' ? new JvmDriver({plan, folder, cacheDir}, context) : new ComposeDriver({plan, folder}, context)
}
