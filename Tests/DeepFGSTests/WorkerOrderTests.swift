import Glibc
import Synchronization
import Testing

@testable import DeepFGS

@Suite("Worker pool, jobs that compete")
struct WorkerOrderTests {
    @Test("A job that is due first is finished first, though another began before it")
    func order() throws {
        let width = max(2, min(WorkerPool.processors, WorkerPool.widest))
        let race = Race(width: width)
        // Threads stay in tasks of the late job until the urgent one has come.
        let late = TestThread { race.runLate() }
        while !race.lateBegan.load(ordering: .acquiring) { sched_yield() }
        race.runUrgent()
        late.join()
        let log = race.entries
        #expect(log.count { $0 == .late } == 3000)
        #expect(log.count { $0 == .urgent } == 1000)
        let first = try #require(log.firstIndex(of: .urgent))
        let last = try #require(log.lastIndex(of: .urgent))
        // Each thread may have taken a late task just before.
        #expect(log[first...last].count { $0 == .late } <= width)
    }

    @Test("Jobs of several threads, due in any order, all end, each with its own tasks and its own error")
    func competition() {
        let pool = WorkerPool()
        let wrong = Counter()
        let threads = (0..<6).map { number in
            TestThread {
                for round in 0..<200 {
                    let sum = Counter()
                    let due = (number &* 7 &+ round &* 5) % 6
                    let fails = round % 10 == number
                    var failed = false
                    do throws(CodecError) {
                        try pool.run(9, width: 3, due: due, with: sum) { sum, task, _ throws(CodecError) in
                            sum.value.add(task, ordering: .relaxed)
                            if fails, task == 8 { throw .frameTooLarge }
                        }
                    } catch {
                        failed = error == .frameTooLarge
                    }
                    if failed != fails || sum.value.load(ordering: .relaxed) != 36 {
                        wrong.value.add(1, ordering: .relaxed)
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(wrong.value.load(ordering: .relaxed) == 0)
    }

    @Test("A pool may go before its threads have begun")
    func shortLife() throws {
        for _ in 0..<200 {
            let sum = Counter()
            try WorkerPool().run(3, width: 4, due: 0, with: sum) { sum, task, _ in
                sum.value.add(task, ordering: .relaxed)
            }
            #expect(sum.value.load(ordering: .relaxed) == 3)
        }
    }

    @Test("Pictures that are decoded go before those whose encoding began shortly before, not before older ones")
    func directions() {
        let (encoding, decoding, later) = (Workers(threads: 2), Workers(threads: 2), Workers(threads: 2))
        encoding.begin(.encoding)
        decoding.begin(.decoding)
        later.begin(.decoding)
        #expect(decoding.due < encoding.due)
        #expect(decoding.due <= later.due)
        usleep(110_000)
        later.begin(.decoding)
        #expect(encoding.due < later.due)
    }
}

private final class Counter: Sendable {
    let value = Atomic(0)
}

/// A late job, and an urgent one that comes while it runs.
private final class Race: Sendable {
    enum Entry { case late, urgent }

    let pool = WorkerPool()
    let lateBegan = Atomic(false)
    private let urgentBegan = Atomic(false)
    private let width: Int
    private let log = Lock<[Entry]>([])

    init(width: Int) { self.width = width }

    var entries: [Entry] { log.withLock { $0 } }

    func enter(_ entry: Entry) { log.withLock { $0.append(entry) } }

    func runLate() {
        try? pool.run(3000, width: width, due: 2, with: self) { race, _, _ in
            race.enter(.late)
            race.lateBegan.store(true, ordering: .releasing)
            while !race.urgentBegan.load(ordering: .acquiring) { sched_yield() }
        }
    }

    func runUrgent() {
        try? pool.run(1000, width: width, due: 1, with: self) { race, _, _ in
            race.enter(.urgent)
            race.urgentBegan.store(true, ordering: .releasing)
        }
    }
}

/// A thread that can be waited for.
private final class TestThread: @unchecked Sendable {
    private var thread = pthread_t()
    private let body: @Sendable () -> Void

    /// Starts it.
    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
        let start = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<TestThread>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, start.toOpaque())
        precondition(status == 0)
    }

    func join() { pthread_join(thread, nil) }
}
