import type {GroupBackend} from '../group-backend.ts'

/** The same backend, which calls back when its subscription is closed. */
export function withEnd(backend: GroupBackend, ended: () => void): GroupBackend {
  return {
    component: backend.component,
    join: () => backend.join(),
    sync: (memberId, drained) => backend.sync(memberId, drained),
    commit: (memberId, positions) => backend.commit(memberId, positions),
    leave: (memberId) => backend.leave(memberId),
    generation: () => backend.generation(),
    read: (request) => backend.read(request),
    onChange: (listener) => backend.onChange(listener),
    ended: () => {
      backend.ended()
      ended()
    },
  }
}
