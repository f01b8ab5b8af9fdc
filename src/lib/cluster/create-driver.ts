import type {Context} from '../core/context.ts'
import type {ClusterDriver} from './driver.ts'
import {JvmDriver} from './jvm/driver.ts'
import type {ClusterState} from './state.ts'

export function createDriver({plan, cacheDir}: ClusterState, folder: string, context: Context): ClusterDriver {
  return new JvmDriver({plan, folder, cacheDir}, context)
}
