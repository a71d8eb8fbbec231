import CKernels
import Glibc
import Synchronization

/// Threads that share the numbered tasks of several jobs; who submits a job works on it too.
///
/// Tasks are handed out one by one, and only workers that have begun are waited for: a worker that the system does not
/// schedule costs nothing. Jobs may come from any number of threads at once; workers go from job to job after each task,
/// so that all get their share.
final class WorkerPool: @unchecked Sendable {
    /// The pool of the process: as many threads as there are processors, those that submit included.
    static let shared = WorkerPool()

    /// Processors that the process may run on.
    static let processors = Int(deepfgs_processors())

    /// Most threads that one job may ask for.
    static let widest = 64

    // Addresses that do not move, as pthreads ask for.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let begun = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let ended = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// Jobs that still have tasks to hand out, and whose turn it is.
    private var jobs: [Job] = []
    private var turn = 0
    private var threads: [pthread_t] = []
    private var stopping = false
    /// Counts jobs; read without the lock by workers that wait for the next one.
    private let generation = Atomic(0)
    /// How many jobs there are; read without the lock.
    private let competing = Atomic(0)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(begun, nil)
        pthread_cond_init(ended, nil)
    }

    deinit {
        pthread_mutex_lock(mutex)
        stopping = true
        generation.add(1, ordering: .releasing)
        pthread_cond_broadcast(begun)
        pthread_mutex_unlock(mutex)
        for thread in threads { pthread_join(thread, nil) }
        pthread_cond_destroy(ended)
        pthread_cond_destroy(begun)
        pthread_mutex_destroy(mutex)
        begun.deallocate()
        ended.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` for every task and returns when all have ended.
    ///
    /// - Parameters:
    ///   - tasks: How many.
    ///   - width: Most threads that work on them at once, the caller included; 1 to `widest`.
    ///   - body: Receives the task and the worker that runs it, `0..<width`; runs on several threads at once.
    /// - Throws: An error of a task; tasks that had not begun are then left out.
    func run(
        _ tasks: Int, width: Int, _ body: (_ task: Int, _ worker: Int) throws(CodecError) -> Void
    ) throws(CodecError) {
        guard width > 1, tasks > 1 else {
            for task in 0..<tasks { try body(task, 0) }
            return
        }
        let error = withoutActuallyEscaping(body) { run(Job(tasks: tasks, width: width, body: $0)) }
        if let error { throw error }
    }

    /// The caller's side of a job.
    private func run(_ job: Job) -> CodecError? {
        pthread_mutex_lock(mutex)
        grow(to: job.width - 1)
        jobs.append(job)
        competing.store(jobs.count, ordering: .relaxed)
        generation.add(1, ordering: .releasing)
        pthread_cond_broadcast(begun)
        pthread_mutex_unlock(mutex)
        while job.runTask(worker: 0) {}
        // What others still run ends soon: often sooner than a sleep would.
        var patience = Self.patience
        while patience > 0, job.taking.load(ordering: .acquiring) > 0 {
            patience -= 1
            deepfgs_pause()
        }
        pthread_mutex_lock(mutex)
        retire(job)
        while job.taking.load(ordering: .relaxed) > 0 { pthread_cond_wait(ended, mutex) }
        pthread_mutex_unlock(mutex)
        return job.error
    }

    /// A worker's life; it never works on jobs that ask for fewer threads than its number.
    fileprivate func work(_ index: Int) {
        var seen = -1
        pthread_mutex_lock(mutex)
        while !stopping {
            if let job = nextJob(for: index) {
                job.taking.add(1, ordering: .relaxed)
                pthread_mutex_unlock(mutex)
                var more = true
                repeat { more = job.runTask(worker: index) } while more && competing.load(ordering: .relaxed) < 2
                pthread_mutex_lock(mutex)
                if !more { retire(job) }
                if job.taking.subtract(1, ordering: .releasing).newValue == 0 { pthread_cond_broadcast(ended) }
                continue
            }
            let now = generation.load(ordering: .acquiring)
            if now == seen {
                pthread_cond_wait(begun, mutex)
                continue
            }
            // The next job of a picture comes soon: wait awake for as long as going to sleep and waking would take.
            seen = now
            pthread_mutex_unlock(mutex)
            var patience = Self.patience
            while patience > 0, generation.load(ordering: .acquiring) == now {
                patience -= 1
                deepfgs_pause()
            }
            pthread_mutex_lock(mutex)
        }
        pthread_mutex_unlock(mutex)
    }

    /// Rounds of waiting awake: some 50 µs.
    private static let patience = 2500

    /// The next job in turn that a worker may join.
    private func nextJob(for index: Int) -> Job? {
        for offset in 0..<jobs.count {
            let place = (turn + offset) % jobs.count
            if jobs[place].width > index {
                turn = place + 1
                return jobs[place]
            }
        }
        return nil
    }

    private func retire(_ job: Job) {
        jobs.removeAll { $0 === job }
        competing.store(jobs.count, ordering: .relaxed)
    }

    /// Starts threads until there are `count`, or as many as the system allows.
    private func grow(to count: Int) {
        while threads.count < min(count, Self.widest - 1) {
            let start = Unmanaged.passRetained(Start(pool: self, index: threads.count + 1))
            var thread = pthread_t()
            guard pthread_create(&thread, nil, { workerMain($0) }, start.toOpaque()) == 0 else {
                start.release()
                return
            }
            threads.append(thread)
        }
    }
}

/// What a thread needs to begin.
private final class Start {
    /// Not retained: the pool joins its threads before it goes.
    unowned let pool: WorkerPool
    let index: Int

    init(pool: WorkerPool, index: Int) {
        self.pool = pool
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
    start.pool.work(start.index)
    return nil
}

/// Tasks that are handed out in order to whoever asks.
private final class Job: @unchecked Sendable {
    let width: Int
    /// Workers that have begun and not ended.
    let taking = Atomic(0)
    private let tasks: Int
    private let body: (Int, Int) throws(CodecError) -> Void
    private let next = Atomic(0)
    private let failure = Mutex<CodecError?>(nil)

    var error: CodecError? { failure.withLock { $0 } }

    init(tasks: Int, width: Int, body: @escaping (Int, Int) throws(CodecError) -> Void) {
        self.tasks = tasks
        self.width = width
        self.body = body
    }

    /// Runs one task; false where none is left.
    func runTask(worker: Int) -> Bool {
        let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard task < tasks else { return false }
        do throws(CodecError) {
            try body(task, worker)
        } catch {
            failure.withLock { $0 = error }
            next.store(tasks, ordering: .relaxed)
        }
        return true
    }
}

/// As many workers of the process's pool as one picture may keep busy.
struct Workers: Hashable, Sendable {
    /// Workers, the caller included; tasks learn which one runs them, `0..<width`.
    let width: Int

    /// `threads` workers; 0 means as many as there are processors.
    init(threads: Int) { width = threads > 0 ? min(threads, WorkerPool.widest) : WorkerPool.processors }

    /// As `WorkerPool.run`.
    func run(
        _ tasks: Int, _ body: (_ task: Int, _ worker: Int) throws(CodecError) -> Void
    ) throws(CodecError) {
        try WorkerPool.shared.run(tasks, width: width, body)
    }
}
