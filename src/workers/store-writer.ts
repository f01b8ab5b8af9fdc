/** The thread that writes the embedded store: a lock wait or an fsync stops only this one. */
import {parentPort} from 'node:worker_threads'
import {serveStoreWriter} from '../lib/store/embedded/writer-server.ts'

if (parentPort) serveStoreWriter(parentPort)
