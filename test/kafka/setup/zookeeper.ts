import {startCluster} from './start-cluster.ts'

export default startCluster('zookeeper')
