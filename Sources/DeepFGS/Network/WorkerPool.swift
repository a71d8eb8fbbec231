import Glibc
import Synchronization

/// Threads that share the numbered tasks of one job at a time; the caller is one of them.
///
/// Tasks are handed out one by one, and only workers that have begun are waited for: a worker that the system does not
/// schedule costs nothing. Jobs come from one thread at a time.
final class WorkerPool {
    /// Workers, the caller included; tasks learn which one runs them, `0..<width`.
    let width: Int
    private let shared: Shared
    private var threads: [pthread_t] = []

    /// Starts `width - 1` threads, or as many as the system allows.
    init(width: Int) {
        let shared = Shared()
        self.shared = shared
        for index in 1..<max(width, 1) {
            let start = Unmanaged.passRetained(Start(shared: shared, index: index))
            var thread = pthread_t()
            let failure = pthread_create(&thread, nil, { workerMain($0) }, start.toOpaque())
            guard failure == 0 else {
                start.release()
                break
            }
            threads.append(thread)
        }
        self.width = threads.count + 1
    }

    deinit {
        shared.stop()
        for thread in threads { pthread_join(thread, nil) }
    }

    /// Runs `body` for every task and returns when all have ended.
    ///
    /// - Parameters:
    ///   - tasks: How many.
    ///   - body: Receives the task and the worker that runs it; runs on several threads at once.
    /// - Throws: An error of a task; tasks that had not begun are then left out.
    func run(_ tasks: Int, _ body: (_ task: Int, _ worker: Int) throws(CodecError) -> Void) throws(CodecError) {
        guard width > 1, tasks > 1 else {
            for task in 0..<tasks { try body(task, 0) }
            return
        }
        let error = withoutActuallyEscaping(body) { shared.run(Job(tasks: tasks, body: $0)) }
        if let error { throw error }
    }
}

/// What a thread needs to begin.
private final class Start {
    let shared: Shared
    let index: Int

    init(shared: Shared, index: Int) {
        self.shared = shared
        self.index = index
    }
}

private func workerMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
    // Signals are the host's: its own threads take them.
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, nil)
    start.shared.work(start.index)
    return nil
}

/// Tasks that are handed out in order to whoever asks.
private final class Job: @unchecked Sendable {
    private let tasks: Int
    private let body: (Int, Int) throws(CodecError) -> Void
    private let next = Atomic(0)
    private let failure = Mutex<CodecError?>(nil)

    var error: CodecError? { failure.withLock { $0 } }

    init(tasks: Int, body: @escaping (Int, Int) throws(CodecError) -> Void) {
        self.tasks = tasks
        self.body = body
    }

    /// Runs tasks until none is left.
    func work(_ worker: Int) {
        while true {
            let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard task < tasks else { return }
            do throws(CodecError) {
                try body(task, worker)
            } catch {
                failure.withLock { $0 = error }
                next.store(tasks, ordering: .relaxed)
            }
        }
    }
}

/// The job of the moment and who takes part in it.
private final class Shared: @unchecked Sendable {
    // Addresses that do not move, as pthreads ask for.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let begun = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let ended = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var job: Job?
    private var taking = 0
    private var stopping = false
    /// Counts jobs; read without the lock by workers that wait for the next one.
    private let generation = Atomic(0)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(begun, nil)
        pthread_cond_init(ended, nil)
    }

    deinit {
        pthread_cond_destroy(begun)
        pthread_cond_destroy(ended)
        pthread_mutex_destroy(mutex)
        begun.deallocate()
        ended.deallocate()
        mutex.deallocate()
    }

    /// The caller's side of a job.
    func run(_ job: Job) -> CodecError? {
        pthread_mutex_lock(mutex)
        self.job = job
        generation.add(1, ordering: .releasing)
        pthread_cond_broadcast(begun)
        pthread_mutex_unlock(mutex)
        job.work(0)
        pthread_mutex_lock(mutex)
        self.job = nil
        while taking > 0 { pthread_cond_wait(ended, mutex) }
        pthread_mutex_unlock(mutex)
        return job.error
    }

    /// A worker's life.
    func work(_ index: Int) {
        var seen = 0
        pthread_mutex_lock(mutex)
        while !stopping {
            let now = generation.load(ordering: .acquiring)
            if now != seen, let job {
                seen = now
                taking += 1
                pthread_mutex_unlock(mutex)
                job.work(index)
                pthread_mutex_lock(mutex)
                taking -= 1
                if taking == 0 { pthread_cond_signal(ended) }
            } else {
                pthread_cond_wait(begun, mutex)
            }
        }
        pthread_mutex_unlock(mutex)
    }

    func stop() {
        pthread_mutex_lock(mutex)
        stopping = true
        pthread_cond_broadcast(begun)
        pthread_mutex_unlock(mutex)
    }
}
