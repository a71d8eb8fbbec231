import CDeepFGSWeb

/// The threads of the instance.
enum WorkerPool {
    /// How many there are; the host says so before the first job.
    static var processors: Int { Int(deepfgs_web_threads()) }
}

/// Threads that share the numbered tasks of a job: workers of the page, where it has them for us.
final class Workers: Sendable {
    /// Threads that work on a job, the caller included; tasks learn which one runs them, `0..<width`.
    let width: Int

    /// All threads that there are, whatever is asked for.
    init(threads: Int) { width = WorkerPool.processors }

    /// Which way a picture goes.
    enum Direction {
        case encoding, decoding
    }

    /// Begins a picture; no other competes with it.
    func begin(_ direction: Direction) {}

    /// What the threads of a job see of it.
    private struct Work<Context> {
        let context: Context
        let body: (Context, Int, Int) throws(CodecError) -> Void
        /// What each thread has met.
        let errors: UnsafeMutablePointer<CodecError?>

        func call(_ task: Int32, _ worker: Int32) {
            do throws(CodecError) {
                try body(context, Int(task), Int(worker))
            } catch { errors[Int(worker)] = error }
        }
    }

    /// Runs `body` for every task and returns when all have ended.
    ///
    /// - Parameters:
    ///   - tasks: How many.
    ///   - context: What `body` receives first.
    ///   - body: Receives the task and the worker that runs it, `0..<width`; runs on several threads at once.
    /// - Throws: An error of a task.
    func run<Context>(
        _ tasks: Int, with context: Context,
        _ body: @escaping (_ context: Context, _ task: Int, _ worker: Int) throws(CodecError) -> Void
    ) throws(CodecError) {
        guard width > 1, tasks > 1 else {
            for task in 0..<tasks { try body(context, task, 0) }
            return
        }
        let errors = UnsafeMutablePointer<CodecError?>.allocate(capacity: width)
        errors.initialize(repeating: nil, count: width)
        var call: (Int32, Int32) -> Void = Work(context: context, body: body, errors: errors).call
        withUnsafeMutablePointer(to: &call) { call in
            deepfgs_web_run(Int32(tasks), call) { call, task, worker in
                call.assumingMemoryBound(to: ((Int32, Int32) -> Void).self).pointee(task, worker)
            }
        }
        var failure: CodecError?
        for worker in 0..<width where failure == nil { failure = errors[worker] }
        errors.deinitialize(count: width)
        errors.deallocate()
        if let failure { throw failure }
    }
}
