import Glibc
import Synchronization

/// Runs a body on several threads at once and waits for all of them; on this thread where it is one.
func onThreads(_ count: Int, _ body: @escaping @Sendable () -> Void) {
    guard count > 1 else { return body() }
    var threads: [pthread_t] = []
    for _ in 0..<count {
        var thread = pthread_t()
        let start = Unmanaged.passRetained(ThreadBody(body))
        let failure = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, start.toOpaque())
        if failure == 0 { threads.append(thread) } else { start.release() }
    }
    // Whatever threads there are share the work; without any, this one does it.
    if threads.isEmpty { body() }
    for thread in threads { pthread_join(thread, nil) }
}

private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// The processors of this machine.
var processorCount: Int {
    max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
}

/// Pixels that may be in work at the same time, so that pictures in parallel take no more memory than one that is as
/// large as may be.
final class PixelBudget: Sendable {
    private let total: Int
    private let state = Mutex((used: 0, holders: 0))
    /// An address that does not move, as the system asks for; the semaphore keeps its own order.
    private nonisolated(unsafe) let freed: UnsafeMutablePointer<sem_t>

    init(_ total: Int) {
        self.total = total
        freed = .allocate(capacity: 1)
        sem_init(freed, 0, 0)
    }

    deinit {
        sem_destroy(freed)
        freed.deallocate()
    }

    /// Waits until there is room; whoever is alone gets in with any number.
    ///
    /// Nobody may wait while it holds something.
    func take(_ pixels: Int) {
        while true {
            let isIn = state.withLock { state in
                guard state.holders == 0 || state.used + pixels <= total else { return false }
                state = (state.used + pixels, state.holders + 1)
                return true
            }
            if isIn { return }
            sem_wait(freed)
        }
    }

    func giveBack(_ pixels: Int) {
        state.withLock { $0 = ($0.used - pixels, $0.holders - 1) }
        sem_post(freed)
    }
}
