import {startCluster} from './start-cluster.ts'

export const setup = startCluster('kraft')
