import Synchronization
import Testing

@testable import DeepFGS

@Suite("Worker pool")
struct NetworkWorkerTests {
    @Test("Every task runs once, on a worker of the pool", arguments: [1, 2, 5])
    func tasks(width: Int) throws {
        let pool = Workers(threads: width)
        for count in [0, 1, 2, 3, 100] {
            let seen = Lock([Int](repeating: 0, count: count))
            let workers = Lock(Set<Int>())
            try pool.run(count) { task, worker in
                seen.withLock { $0[task] += 1 }
                workers.withLock { _ = $0.insert(worker) }
            }
            #expect(seen.withLock { $0 } == [Int](repeating: 1, count: count))
            #expect(workers.withLock { $0 }.isSubset(of: Set(0..<width)))
        }
    }

    @Test("An error of a task is the job's, and the next job runs")
    func errors() throws {
        let pool = Workers(threads: 3)
        #expect(throws: CodecError.frameTooLarge) {
            try pool.run(50) { task, _ throws(CodecError) in if task == 7 { throw .frameTooLarge } }
        }
        let sum = Atomic(0)
        try pool.run(10) { task, _ in sum.add(task, ordering: .relaxed) }
        #expect(sum.load(ordering: .relaxed) == 45)
    }
}
