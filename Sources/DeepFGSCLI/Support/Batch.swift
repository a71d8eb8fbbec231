import ArgumentParser
import DeepFGSTools
import Synchronization

/// Runs a command over many files: one that fails is reported and does not stop the others.
///
/// May be used by several threads.
final class Batch: Sendable {
    let console: Console
    private let state = Mutex((firstFailure: Failure?.none, failures: 0))

    init(quiet: Bool = false) { console = Console(isQuiet: quiet) }

    /// How many things have failed.
    var failures: Int { state.withLock { $0.failures } }

    /// Does one thing; a failure is reported and remembered.
    ///
    /// - Returns: Whether it went well.
    @discardableResult
    func attempt(_ body: () throws(Failure) -> Void) -> Bool {
        do throws(Failure) {
            try body()
            return true
        } catch {
            report(error)
            return false
        }
    }

    /// Says what went wrong and remembers that something did.
    func report(_ failure: Failure) {
        console.error(failure)
        state.withLock { $0 = ($0.firstFailure ?? failure, $0.failures + 1) }
    }

    /// Does the same for each item, with a progress bar.
    func each<Item>(
        _ items: [Item], label: String, name: (Item) -> String, _ body: (Item) throws(Failure) -> Void
    ) {
        console.begin(label, total: items.count)
        for item in items {
            console.show(name(item))
            attempt { () throws(Failure) in try body(item) }
            console.advance()
        }
        console.end()
    }

    /// Does the same for each item on several threads, with a progress bar.
    ///
    /// `worker` makes what one thread works with; `body` does one item, given its place and that. Items are begun in
    /// their order.
    func each<Item: Sendable, Worker>(
        _ items: [Item], threads: Int, label: String, name: (Item) -> String,
        worker: @escaping @Sendable () -> Worker,
        _ body: @escaping @Sendable (Int, Item, Worker) throws(Failure) -> Void
    ) {
        console.begin(label, total: items.count)
        let names = items.map(name)
        let next = Mutex(0)
        // Of several that fail, the first in the order of the command line says how the command ends.
        let failed = Mutex((index: Int.max, failure: Failure?.none))
        let before = state.withLock { $0.firstFailure }
        onThreads(min(threads, items.count)) { [self] in
            let worker = worker()
            while true {
                let index = next.withLock { next in
                    defer { next += 1 }
                    return next
                }
                guard index < items.count else { return }
                console.show(names[index])
                do throws(Failure) { try body(index, items[index], worker) } catch {
                    report(error)
                    failed.withLock { if index < $0.index { $0 = (index, error) } }
                }
                console.advance()
            }
        }
        console.end()
        let first = failed.withLock { $0.failure }
        state.withLock { $0.firstFailure = before ?? first ?? $0.firstFailure }
    }

    /// Ends the command: with the status of the first failure if there was one.
    ///
    /// - Throws: `ExitCode`.
    func finish() throws {
        console.end()
        if let failure = state.withLock({ $0.firstFailure }) { throw ExitCode(failure.status.rawValue) }
    }
}
