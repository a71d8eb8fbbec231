import CKernels
import Glibc
import Synchronization

/// Threads that share the numbered tasks of several jobs; who submits a job works on it too.
///
/// Tasks are handed out one by one, and only workers that have begun are waited for: a worker that the system does not
/// schedule costs nothing. Jobs may come from any number of threads at once. Each says when it is due, and what is due
/// first is worked on first: threads choose again after each task, and who submitted a later job waits while earlier
/// ones can keep all processors busy. Pictures that compete are thus finished one after the other, not all of them late.
/// Once there have been as many jobs at a time as there are now, a job allocates nothing.
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
    private let turned = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// Jobs that still have tasks to hand out, those that are due first in front.
    private var jobs: [Job] = []
    /// Jobs that have ended, for the next ones.
    private var spare: [Job] = []
    private var threads: [pthread_t] = []
    private var stopping = false
    /// Counts jobs; read without the lock by workers that wait for the next one.
    private let generation = Atomic(0)
    /// How many jobs there are; read without the lock.
    private let competing = Atomic(0)
    /// Jobs that are due later wait, because those up to this time can keep all processors busy; read without the lock.
    private let horizon = Atomic(Int.max)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(begun, nil)
        pthread_cond_init(ended, nil)
        pthread_cond_init(turned, nil)
    }

    deinit {
        pthread_mutex_lock(mutex)
        stopping = true
        generation.add(1, ordering: .releasing)
        pthread_cond_broadcast(begun)
        pthread_mutex_unlock(mutex)
        for thread in threads { pthread_join(thread, nil) }
        pthread_cond_destroy(turned)
        pthread_cond_destroy(ended)
        pthread_cond_destroy(begun)
        pthread_mutex_destroy(mutex)
        begun.deallocate()
        ended.deallocate()
        turned.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` for every task and returns when all have ended.
    ///
    /// - Parameters:
    ///   - tasks: How many.
    ///   - width: Most threads that work on them at once, the caller included; 1 to `widest`.
    ///   - due: Of jobs that compete, the one with the least number goes first.
    ///   - context: What `body` needs; a closure that captures instead would be allocated for each job.
    ///   - body: Receives the context, the task and the worker that runs it, `0..<width`; runs on several threads at once.
    /// - Throws: An error of a task; tasks that had not begun are then left out.
    func run<Context>(
        _ tasks: Int, width: Int, due: Int, with context: Context,
        _ body: @escaping (_ context: Context, _ task: Int, _ worker: Int) throws(CodecError) -> Void
    ) throws(CodecError) {
        guard width > 1, tasks > 1 else {
            for task in 0..<tasks { try body(context, task, 0) }
            return
        }
        // The job points into this call's memory: it ends before the call does.
        let error = withUnsafePointer(to: Work(context: context, body: body)) { work in
            run(tasks, width: width, due: due, work: work) { work, task, worker throws(CodecError) in
                let work = work.assumingMemoryBound(to: Work<Context>.self)
                try work.pointee.body(work.pointee.context, task, worker)
            }
        }
        if let error { throw error }
    }

    /// The caller's side of a job.
    private func run(
        _ tasks: Int, width: Int, due: Int, work: UnsafeRawPointer, _ call: @escaping Job.Call
    ) -> CodecError? {
        pthread_mutex_lock(mutex)
        grow(to: width - 1)
        let job = spare.popLast() ?? Job()
        job.begin(tasks, width: width, due: due, work: work, call)
        jobs.insert(job, at: jobs.firstIndex { $0.due > due } ?? jobs.count)
        jobsChanged()
        generation.add(1, ordering: .releasing)
        pthread_cond_broadcast(begun)
        pthread_mutex_unlock(mutex)
        repeat { if horizon.load(ordering: .relaxed) < due { waitForTurn(due) } } while job.runTask(worker: 0)
        // What others still run ends soon: often sooner than a sleep would.
        var patience = Self.patience
        while patience > 0, job.taking.load(ordering: .acquiring) > 0 {
            patience -= 1
            deepfgs_pause()
        }
        pthread_mutex_lock(mutex)
        retire(job)
        while job.taking.load(ordering: .relaxed) > 0 { pthread_cond_wait(ended, mutex) }
        let error = job.end()
        spare.append(job)
        pthread_mutex_unlock(mutex)
        return error
    }

    /// Waits until a job that is due then may go on.
    private func waitForTurn(_ due: Int) {
        pthread_mutex_lock(mutex)
        while horizon.load(ordering: .relaxed) < due { pthread_cond_wait(turned, mutex) }
        pthread_mutex_unlock(mutex)
    }

    /// A worker's life; it never works on jobs that ask for fewer threads than its number.
    fileprivate func work(_ index: Int) {
        var seen = -1
        // When the last job was due, and whether another one that is due as early has been waited for since.
        var last = Int.max
        var hasWaited = true
        pthread_mutex_lock(mutex)
        while !stopping {
            // The next job of a picture comes soon: wait awake for as long as going to sleep and waking would take, also
            // before going over to a picture that is due later.
            let now = generation.load(ordering: .acquiring)
            let job = nextJob(for: index)
            if job.map({ $0.due > last && !hasWaited }) ?? (now != seen) {
                seen = now
                hasWaited = true
                pthread_mutex_unlock(mutex)
                var patience = Self.patience
                while patience > 0, generation.load(ordering: .acquiring) == now {
                    patience -= 1
                    deepfgs_pause()
                }
                pthread_mutex_lock(mutex)
                continue
            }
            guard let job else {
                pthread_cond_wait(begun, mutex)
                continue
            }
            last = job.due
            hasWaited = false
            job.taking.add(1, ordering: .relaxed)
            pthread_mutex_unlock(mutex)
            var more = true
            repeat { more = job.runTask(worker: index) } while more && competing.load(ordering: .relaxed) < 2
            pthread_mutex_lock(mutex)
            if !more { retire(job) }
            if job.taking.subtract(1, ordering: .releasing).newValue == 0 { pthread_cond_broadcast(ended) }
        }
        pthread_mutex_unlock(mutex)
    }

    /// Rounds of waiting awake: some 50 µs.
    private static let patience = 2500

    /// The job that is due first of those that a worker may join.
    private func nextJob(for index: Int) -> Job? { jobs.first { $0.width > index } }

    private func retire(_ job: Job) {
        guard let place = jobs.firstIndex(where: { $0 === job }) else { return }
        jobs.remove(at: place)
        jobsChanged()
    }

    /// Says what follows from the jobs that there are now.
    private func jobsChanged() {
        competing.store(jobs.count, ordering: .relaxed)
        var busy = 0
        var last = Int.max
        for job in jobs where last == .max {
            busy += job.threads
            if busy >= Self.processors { last = job.due }
        }
        if last > horizon.exchange(last, ordering: .relaxed) { pthread_cond_broadcast(turned) }
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
    /// Not retained, for the pool joins its threads before it goes; nor counted, for one may begin while it is going.
    unowned(unsafe) let pool: WorkerPool
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

/// What a job's tasks do, in the memory of who submitted it.
private struct Work<Context> {
    let context: Context
    let body: (Context, Int, Int) throws(CodecError) -> Void
}

/// Tasks that are handed out in order to whoever asks; used for one job after the other.
private final class Job: @unchecked Sendable {
    typealias Call = (_ work: UnsafeRawPointer, _ task: Int, _ worker: Int) throws(CodecError) -> Void

    // Written under the pool's lock while nobody works on the job.
    private(set) var width = 0, due = 0
    private var tasks = 0
    /// Threads that it can keep busy.
    var threads: Int { min(width, tasks) }
    private var work: (start: UnsafeRawPointer, call: Call)?
    /// Workers that have begun and not ended.
    let taking = Atomic(0)
    private let next = Atomic(0)
    private let failure = Lock<CodecError?>(nil)

    func begin(_ tasks: Int, width: Int, due: Int, work: UnsafeRawPointer, _ call: @escaping Call) {
        (self.tasks, self.width, self.due) = (tasks, width, due)
        self.work = (work, call)
        next.store(0, ordering: .relaxed)
    }

    /// Forgets the tasks; returns the error of one of them.
    func end() -> CodecError? {
        work = nil
        return failure.withLock { error in
            defer { error = nil }
            return error
        }
    }

    /// Runs one task; false where none is left.
    func runTask(worker: Int) -> Bool {
        let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard task < tasks, let work else { return false }
        do throws(CodecError) {
            try work.call(work.start, task, worker)
        } catch {
            failure.withLock { $0 = error }
            next.store(tasks, ordering: .relaxed)
        }
        return true
    }
}
