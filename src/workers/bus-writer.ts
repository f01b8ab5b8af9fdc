import {parentPort, workerData} from 'node:worker_threads'
import type {WriterOptions} from '../lib/bus/embedded/protocol.ts'
import {runWriter} from '../lib/bus/embedded/writer.ts'

if (parentPort !== null) runWriter(parentPort, workerData as WriterOptions)
